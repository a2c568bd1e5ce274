// The pages that a vchan server grants to its one peer. They serve one session after the other: a
// peer that keeps the maps of the sessions before would pin new pages for each.
#pragma once

#include <vector>

#include "vchan/control_page.h"
#include "vchan/grants.h"

namespace vifwatch {

class ServerPages {
 public:
  ServerPages(std::uint32_t domid, const Orders& orders);

  // The control page's.
  std::uint32_t Ref() const { return ref_; }
  std::uint32_t Domid() const { return domid_; }

  // Writes the control page anew, for a client that is to come.
  SharedRings Begin();

  // What tells the peer, while it is held, that this process has died. The control page's own
  // notification only clears its byte, because it cannot be given the port of another session.
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
