#include "vchan/control_page.h"

#include <bit>
#include <cerrno>

#include "failure.h"

namespace vifwatch {

namespace {

constexpr unsigned kSmall = 10;
constexpr unsigned kLarge = 11;
constexpr unsigned kPage = 12;
constexpr unsigned kMax = 20;

unsigned OrderOf(std::size_t size) {
  return size <= kPageSize ? kPage : static_cast<unsigned>(std::bit_width(size - 1));
}

}  // namespace

Orders OrdersOf(std::size_t left, std::size_t right) {
  constexpr std::size_t small = 1 << kSmall;
  constexpr std::size_t large = 1 << kLarge;
  if (left <= small && right <= large) return {kSmall, kLarge};
  if (left <= large && right <= small) return {kLarge, kSmall};
  if (left <= large) return {kLarge, OrderOf(right)};
  if (right <= large) return {OrderOf(left), kLarge};
  return {OrderOf(left), OrderOf(right)};
}

void CheckOrders(const Orders& orders) {
  const auto [left, right] = orders;
  const bool known = left >= kSmall && left <= kMax && right >= kSmall && right <= kMax;
  if (!known || (left == right && left < kPage)) throw Failure("check orders", EPROTO);
  // The list of grants must end before the first inner ring, which begins at 1 KiB.
  const bool hasSmall = left == kSmall || right == kSmall;
  const std::size_t list = (PagesOf(left) + PagesOf(right)) * sizeof(std::uint32_t);
  if (hasSmall && sizeof(vchan_interface) + list > (1 << kSmall)) {
    throw Failure("check orders", EPROTO);
  }
}

std::uint32_t PagesOf(unsigned order) { return order < kPage ? 0 : 1U << (order - kPage); }

std::byte* InnerRing(vchan_interface* control, unsigned order) {
  // An inner ring's offset equals its size.
  return reinterpret_cast<std::byte*>(control) + (std::size_t{1} << order);
}

}  // namespace vifwatch
