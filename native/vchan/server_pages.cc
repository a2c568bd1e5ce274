#include "vchan/server_pages.h"

#include <xen/xen.h>

#include <algorithm>
#include <cstring>

namespace vifwatch {

ServerPages::ServerPages(std::uint32_t domid, const Orders& orders)
    : domid_(domid),
      orders_(orders),
      leftRefs_(PagesOf(orders.left)),
      rightRefs_(PagesOf(orders.right)),
      control_(granter_.Share(domid, &ref_, {.offset = offsetof(vchan_interface, srv_live)})) {
  if (!leftRefs_.empty()) left_ = granter_.Share(domid, leftRefs_);
  if (!rightRefs_.empty()) right_ = granter_.Share(domid, rightRefs_);
}

SharedRings ServerPages::Begin() {
  std::memset(control_.get(), 0, kPageSize);
  auto* control = reinterpret_cast<vchan_interface*>(control_.get());
  const auto last = std::copy(leftRefs_.begin(), leftRefs_.end(), control->grants);
  std::copy(rightRefs_.begin(), rightRefs_.end(), last);
  control->left_order = static_cast<std::uint16_t>(orders_.left);
  control->right_order = static_cast<std::uint16_t>(orders_.right);
  control->cli_live = 2;
  control->srv_live = 1;
  return {control, orders_, left_ ? left_.get() : InnerRing(control, orders_.left),
          right_ ? right_.get() : InnerRing(control, orders_.right)};
}

GrantedPages ServerPages::PeerDeathNotify(std::uint32_t port) {
  // The page is granted to DOMID_SELF, which is not a real domain: no peer can map the page and
  // keep it.
  std::uint32_t ref = 0;
  return granter_.Share(DOMID_SELF, &ref, {.port = port});
}

}  // namespace vifwatch
