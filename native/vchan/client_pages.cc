#include "vchan/client_pages.h"

#include <atomic>
#include <vector>

namespace vifwatch {

namespace {

template <typename Number>
Number Copy(Number& shared) {
  return std::atomic_ref(shared).load(std::memory_order_relaxed);
}

}  // namespace

ClientPages::ClientPages(std::uint32_t domid, std::uint32_t ref, std::uint32_t port)
    : control_(mapper_.Map(domid, ref,
                           {.offset = offsetof(vchan_interface, cli_live), .port = port})) {
  auto* control = reinterpret_cast<vchan_interface*>(control_.get());
  // The orders are copied before the check, because the server may change them at any time.
  const Orders orders = {Copy(control->left_order), Copy(control->right_order)};
  CheckOrders(orders);
  const std::uint32_t* next = control->grants;
  const auto map = [&](unsigned order, bool writable) -> MappedPages {
    if (PagesOf(order) == 0) return {};
    std::vector<std::uint32_t> refs(next, next + PagesOf(order));
    next += PagesOf(order);
    return mapper_.Map(domid, refs, writable);
  };
  left_ = map(orders.left, true);
  right_ = map(orders.right, false);
  rings_ = {control, orders, left_ ? left_.get() : InnerRing(control, orders.left),
            right_ ? right_.get() : InnerRing(control, orders.right)};
}

}  // namespace vifwatch
