#include "network/traffic_control.h"

#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <set>
#include <system_error>

#include "js_value.h"

namespace vifwatch {

namespace {

// BPF_TCX_INGRESS; Debian 12's headers lack it.
constexpr std::uint32_t kTcxIngress = 46;

std::set<int> List() {
  std::set<int> indices;
  tcmsg request = {};
  Netlink(0, 0).Dump(
      RTM_GETQDISC, request, [&] { indices.clear(); },
      [&](const nlmsghdr* message) {
        if (message->nlmsg_type != RTM_NEWQDISC) return;
        const auto* body = BodyOf<tcmsg>(message);
        // Both kinds have this parent, which no other qdisc can have.
        if (body != nullptr && body->tcm_parent == TC_H_INGRESS) indices.insert(body->tcm_ifindex);
      });
  return indices;
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
    const std::set<int> indices = List();
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
    socket_ = std::make_shared<Netlink>(SOCK_NONBLOCK, RTMGRP_TC);
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
  std::array<char, 32768> buffer;
  // The callback lists the links again. So the content of the messages does not matter, nor does the loss
  // of some (ENOBUFS).
  while (recv(socket_->Number(), buffer.data(), buffer.size(), 0) >= 0 || errno == ENOBUFS) continue;
  const Napi::HandleScope handles(env_);
  const Napi::CallbackScope scope(env_, context_);
  CallJs(env_, onChange_.Value(), {});
}

}  // namespace vifwatch
