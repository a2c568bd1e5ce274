#include "network/netlink.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

namespace vifwatch {

namespace {

// The kernel fills at most 32 KiB per message of a dump.
constexpr std::size_t kBufferBytes = 32768;
constexpr int kAttempts = 100;

[[noreturn]] void Fail(int error) { throw std::system_error(error, std::generic_category()); }

int ErrorOf(const nlmsghdr* message) {
  const auto* body = BodyOf<nlmsgerr>(message);
  return body == nullptr ? EBADMSG : -body->error;
}

struct Progress {
  bool done = false;
  bool interrupted = false;
};

void Read(const nlmsghdr* message, const Netlink::Take& take, Progress* progress) {
  progress->interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
  if (message->nlmsg_type == NLMSG_DONE) {
    progress->done = true;
  } else if (message->nlmsg_type == NLMSG_ERROR) {
    Fail(ErrorOf(message));
  } else {
    take(message);
  }
}

// Returns false if the dump was interrupted.
bool Receive(int socket, std::vector<char>* buffer, const Netlink::Take& take) {
  Progress progress;
  while (!progress.done) {
    const ssize_t length = recv(socket, buffer->data(), buffer->size(), MSG_TRUNC);
    if (length < 0) {
      if (errno == EINTR) continue;
      Fail(errno);
    }
    if (static_cast<std::size_t>(length) > buffer->size()) Fail(EMSGSIZE);
    auto rest = static_cast<unsigned>(length);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer->data()); NLMSG_OK(message, rest);
         message = NLMSG_NEXT(message, rest)) {
      Read(message, take, &progress);
    }
  }
  return !progress.interrupted;
}

}  // namespace

Netlink::Netlink(int flags, unsigned groups)
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE)) {
  if (Number() < 0) Fail(errno);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(Number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail(errno);
}

void Netlink::DumpRequest(const void* request, std::size_t length, const Begin& begin,
                          const Take& take) const {
  std::vector<char> buffer(kBufferBytes);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    begin();
    if (send(Number(), request, length, 0) < 0) Fail(errno);
    if (Receive(Number(), &buffer, take)) return;
  }
  Fail(EAGAIN);
}

Attributes Find(Attributes attributes, unsigned short type) {
  const auto* at = static_cast<const char*>(attributes.data);
  std::size_t left = attributes.length;
  while (left >= sizeof(rtattr)) {
    rtattr header;
    std::memcpy(&header, at, sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > left) break;
    if ((header.rta_type & NLA_TYPE_MASK) == type) {
      return {at + RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0)};
    }
    const std::size_t step = RTA_ALIGN(header.rta_len);
    if (step >= left) break;
    at += step;
    left -= step;
  }
  return {nullptr, 0};
}

}  // namespace vifwatch
