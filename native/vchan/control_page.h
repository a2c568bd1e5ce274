// What libxenvchan puts in the page that both ends of a vchan begin with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vchan/vchan_interface.h"

namespace vifwatch {

constexpr std::size_t kPageSize = 4096;

// Logarithms of the sizes of the rings: left is what the client writes, right what the server does.
struct Orders {
  unsigned left;
  unsigned right;
};

// The orders that libxenvchan chooses for rings of at least these sizes, which are 1 MiB at most.
Orders OrdersOf(std::size_t left, std::size_t right);

// Throws Failure if a peer says what would not fit into the page, or more.
void CheckOrders(const Orders& orders);

// How many pages a ring takes; none if it lies within the control page.
std::uint32_t PagesOf(unsigned order);

// Where it lies there.
std::byte* InnerRing(vchan_interface* control, unsigned order);

// Both ends' view of the pages they share.
struct SharedRings {
  vchan_interface* control;
  Orders orders;
  std::byte* left;
  std::byte* right;
};

}  // namespace vifwatch
