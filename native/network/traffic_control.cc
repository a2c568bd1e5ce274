#include "network/traffic_control.h"

#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <system_error>

#include "js_value.h"

namespace vifwatch {

namespace {

// The kernel fills at most 32 KiB per message of a dump.
constexpr std::size_t kBufferBytes = 32768;
// BPF_TCX_INGRESS; Debian 12's headers lack it.
constexpr std::uint32_t kTcxIngress = 46;
// A dump that other changes interrupt is begun again.
constexpr int kAttempts = 100;

using Buffer = std::array<char, kBufferBytes>;
using Indices = std::set<int>;

[[noreturn]] void Fail(int error) { throw std::system_error(error, std::generic_category()); }

// Groups is a mask of RTMGRP_*; 0 for requests.
Descriptor Open(int flags, unsigned groups) {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE));
  if (socket.Number() < 0) Fail(errno);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(socket.Number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail(errno);
  return socket;
}

void Request(int socket) {
  struct {
    nlmsghdr header;
    tcmsg body;
  } request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETQDISC;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.tcm_family = AF_UNSPEC;
  if (send(socket, &request, sizeof request, 0) < 0) Fail(errno);
}

int ErrorOf(const nlmsghdr* message) {
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return EBADMSG;
  return -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
}

struct Progress {
  bool done = false;
  bool interrupted = false;
};

void Take(const nlmsghdr* message, Indices* indices, Progress* progress) {
  progress->interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
  if (message->nlmsg_type == NLMSG_DONE) {
    progress->done = true;
  } else if (message->nlmsg_type == NLMSG_ERROR) {
    Fail(ErrorOf(message));
  } else if (message->nlmsg_type == RTM_NEWQDISC &&
             message->nlmsg_len >= NLMSG_LENGTH(sizeof(tcmsg))) {
    const auto* body = static_cast<const tcmsg*>(NLMSG_DATA(message));
    // Both kinds have this parent, which no other qdisc can have.
    if (body->tcm_parent == TC_H_INGRESS) indices->insert(body->tcm_ifindex);
  }
}

// Returns nullopt if the dump was interrupted.
std::optional<Indices> Dump(int socket, Buffer* buffer) {
  Request(socket);
  Indices indices;
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
      Take(message, &indices, &progress);
    }
  }
  if (progress.interrupted) return std::nullopt;
  return indices;
}

Indices List() {
  const Descriptor socket = Open(0, 0);
  const auto buffer = std::make_unique<Buffer>();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (auto indices = Dump(socket.Number(), buffer.get())) return *std::move(indices);
  }
  Fail(EAGAIN);
}

bool HasTcxProgram(std::uint32_t index) {
  bpf_attr attributes = {};
  attributes.query.target_fd = index;  // in a union with target_ifindex, which older headers lack
  attributes.query.attach_type = kTcxIngress;
  return syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes) == 0 &&
         attributes.query.prog_cnt > 0;
}

}  // namespace

Napi::Value TcxLinks(const Napi::CallbackInfo& info) {
  const auto indices = info[0].As<Napi::Array>();
  const auto found = Napi::Array::New(info.Env());
  for (std::uint32_t at = 0; at < indices.Length(); ++at) {
    const Napi::Value index = indices[at];
    if (HasTcxProgram(index.As<Napi::Number>().Uint32Value())) found.Set(found.Length(), index);
  }
  return found;
}

Napi::Value IngressQdiscs(const Napi::CallbackInfo& info) {
  try {
    const Indices indices = List();
    const auto list = Napi::Array::New(info.Env(), indices.size());
    std::uint32_t at = 0;
    for (const int index : indices) list.Set(at++, Napi::Number::New(info.Env(), index));
    return list;
  } catch (const std::system_error& error) {
    throw Napi::Error(info.Env(), ErrorToJs(info.Env(), error.code().value()));
  }
}

Napi::Function TrafficControlWatch::Class(Napi::Env env) {
  return DefineClass(env, "TrafficControlWatch",
                     {InstanceMethod<&TrafficControlWatch::Close>("close")});
}

TrafficControlWatch::TrafficControlWatch(const Napi::CallbackInfo& info)
    : ObjectWrap(info),
      env_(info.Env()),
      context_(env_, "traffic control"),
      onChange_(Napi::Persistent(info[0].As<Napi::Function>())) {
  try {
    socket_ = std::make_shared<Descriptor>(Open(SOCK_NONBLOCK, RTMGRP_TC));
    hook_ = std::make_shared<EnvironmentHook>(
        env_, [](void* self) { static_cast<TrafficControlWatch*>(self)->Stop(); });
    uv_loop_t* const loop = LoopOf(env_);
    poll_ = MakeLoopHandle<uv_poll_t>(hook_, this, [&](uv_poll_t* poll) {
      return uv_poll_init(loop, poll, socket_->Number());
    });
    CheckUv(uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* poll, int, int) {
      static_cast<TrafficControlWatch*>(poll->data)->OnReadable();
    }));
    hook_->Bind(this);
  } catch (const std::system_error& error) {
    poll_.reset();
    throw Napi::Error(env_, ErrorToJs(env_, error.code().value()));
  }
  Ref();
}

TrafficControlWatch::~TrafficControlWatch() { Stop(); }

void TrafficControlWatch::Stop() {
  if (!poll_) return;
  poll_.reset();
  socket_.reset();
  hook_->Bind(nullptr);
  hook_.reset();
}

void TrafficControlWatch::Close(const Napi::CallbackInfo&) {
  if (!poll_) return;
  Stop();
  Unref();
}

void TrafficControlWatch::OnReadable() {
  Buffer buffer;
  // The callback lists the links again. So the content of the messages does not matter, nor does the loss
  // of some (ENOBUFS).
  while (recv(socket_->Number(), buffer.data(), buffer.size(), 0) >= 0 || errno == ENOBUFS) continue;
  const Napi::HandleScope handles(env_);
  const Napi::CallbackScope scope(env_, context_);
  CallJs(env_, onChange_.Value(), {});
}

}  // namespace vifwatch
