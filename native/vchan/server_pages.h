// The pages that a vchan server grants to its one peer. All sessions use the same pages, one after
// another: with new pages for each session, a peer that never unmaps them would use up our memory.
#pragma once

#include <vector>

#include "vchan/control_page.h"
#include "vchan/grants.h"

namespace vifwatch {

class ServerPages {
 public:
  ServerPages(std::uint32_t domid, const Orders& orders);

  // The control page's grant reference.
  std::uint32_t Ref() const { return ref_; }
  std::uint32_t Domid() const { return domid_; }

  // Resets the control page for the next client.
  SharedRings Begin();

  // Returns a page that makes the kernel send the peer an event if this process dies while it holds
  // the page. The control page's notification cannot do that: its port could not change with each
  // session. It only clears the byte `srv_live`.
  GrantedPages PeerDeathNotify(std::uint32_t port);

 private:
  const std::uint32_t domid_;
  const Orders orders_;
  Granter granter_;
  std::uint32_t ref_ = 0;
  std::vector<std::uint32_t> leftRefs_;
  std::vector<std::uint32_t> rightRefs_;
  GrantedPages control_;
  GrantedPages left_;
  GrantedPages right_;
};

}  // namespace vifwatch
