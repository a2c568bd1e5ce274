// The layout of libxenvchan's control page, the first page that both ends of a vchan share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vchan/vchan_interface.h"

namespace vifwatch {

constexpr std::size_t kPageSize = 4096;

// The binary logarithms of the ring sizes. The client writes the left ring, the server the right
// one.
struct Orders {
  unsigned left;
  unsigned right;
};

// Returns the orders that libxenvchan chooses for rings of at least these sizes, at most 1 MiB
// each.
Orders OrdersOf(std::size_t left, std::size_t right);

// Throws Failure if a peer's orders are invalid: unknown, or too large for the list of grants.
void CheckOrders(const Orders& orders);

// Returns the number of pages of a ring; 0 if the ring lies within the control page.
std::uint32_t PagesOf(unsigned order);

// Returns the address of a ring that lies within the control page.
std::byte* InnerRing(vchan_interface* control, unsigned order);

// The shared pages as both ends see them.
struct SharedRings {
  vchan_interface* control;
  Orders orders;
  std::byte* left;
  std::byte* right;
};

}  // namespace vifwatch
