// The pages that a vchan client maps.
#pragma once

#include "vchan/control_page.h"
#include "vchan/grants.h"

namespace vifwatch {

class ClientPages {
 public:
  // `ref` is the control page's grant reference; `port` is our event channel port.
  ClientPages(std::uint32_t domid, std::uint32_t ref, std::uint32_t port);

  const SharedRings& Rings() const { return rings_; }

 private:
  Mapper mapper_;
  MappedPages control_;
  MappedPages left_;
  MappedPages right_;
  SharedRings rings_ = {};
};

}  // namespace vifwatch
