// A rtnetlink socket that lists objects of this network namespace.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "process/descriptor.h"

namespace vifwatch {

// All functions throw std::system_error with an errno.
class Netlink {
 public:
  // Groups is a mask of RTMGRP_*; 0 for requests.
  Netlink(int flags, unsigned groups);

  int Number() const { return socket_.Number(); }

  using Begin = std::function<void()>;
  using Take = std::function<void(const nlmsghdr*)>;

  // Lists all objects; the kernel answers at once. Calls `begin`, and then `take` for each object. A listing
  // that other changes interrupt is begun again.
  template <class Body>
  void Dump(std::uint16_t type, const Body& body, const Begin& begin, const Take& take) const {
    struct {
      nlmsghdr header;
      Body body;
    } request = {};
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof body);
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body = body;
    DumpRequest(&request, request.header.nlmsg_len, begin, take);
  }

 private:
  void DumpRequest(const void* request, std::size_t length, const Begin& begin,
                   const Take& take) const;

  Descriptor socket_;
};

// Returns the message's fixed part; nullptr if the message is too short for it.
template <class Body>
const Body* BodyOf(const nlmsghdr* message) {
  return message->nlmsg_len < NLMSG_LENGTH(sizeof(Body))
             ? nullptr
             : static_cast<const Body*>(NLMSG_DATA(message));
}

// A run of attributes.
struct Attributes {
  const void* data;
  std::size_t length;
};

// Returns the attributes after the message's fixed part, which must be whole.
template <class Body>
Attributes AttributesOf(const nlmsghdr* message) {
  const std::size_t fixed = NLMSG_SPACE(sizeof(Body));
  const auto* start = reinterpret_cast<const char*>(message);
  return {start + fixed, message->nlmsg_len > fixed ? message->nlmsg_len - fixed : 0};
}

// Returns the payload of the first attribute of this type; data is nullptr if there is none.
Attributes Find(Attributes attributes, unsigned short type);

}  // namespace vifwatch
