#include "vchan/vchan_class.h"

#include "failure.h"
#include "js_value.h"

namespace vifwatch {

namespace {

std::uint32_t ToNumber(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}

std::unique_ptr<Session> Open(const Napi::CallbackInfo& info) {
  if (info[1].IsObject()) return Session::Serve(VchanServer::PagesOf(info[1]));
  return Session::Join(ToNumber(info[1]), ToNumber(info[2]), ToNumber(info[3]));
}

std::byte* BytesOf(Napi::Uint8Array& array) { return reinterpret_cast<std::byte*>(array.Data()); }

}  // namespace

Napi::Function Vchan::Class(Napi::Env env) {
  return DefineClass(env, "Vchan",
                     {InstanceMethod<&Vchan::Port>("port"),
                      InstanceMethod<&Vchan::IsWaiting>("isWaiting"),
                      InstanceMethod<&Vchan::Read>("read"),
                      InstanceMethod<&Vchan::Write>("write"),
                      InstanceMethod<&Vchan::Close>("close")});
}

Vchan::Vchan(const Napi::CallbackInfo& info)
    : ObjectWrap(info),
      env_(info.Env()),
      context_(env_, "vchan"),
      onEvent_(Napi::Persistent(info[0].As<Napi::Function>())) {
  try {
    session_ = Open(info);
    events_ = std::make_unique<EventChannelPoller>(
        env_, &session_->Channel(), [this] { return OnEvent(); }, [this] { Stop(); });
  } catch (const Failure& failure) {
    throw ToError(env_, failure);
  } catch (const std::system_error& failure) {
    throw ToError(env_, Failure("watch port", failure.code().value()));
  }
  Ref();  // an open vchan is not garbage-collected, like a socket
}

Vchan::~Vchan() { Stop(); }

// Also called when the environment ends. Then no JavaScript may run.
void Vchan::Stop() {
  if (!events_) return;
  events_.reset();
  session_.reset();
  onEvent_.Reset();
  Unref();
}

bool Vchan::OnEvent() {
  const Napi::HandleScope handles(env_);
  [[maybe_unused]] const Napi::Object self = Value();  // stays alive if the callback calls close()
  session_->TakeProgress();
  {
    const Napi::CallbackScope scope(env_, context_);
    CallJs(env_, onEvent_.Value(), {});
  }
  return session_ && session_->TakeProgress();
}

Napi::Value Vchan::Port(const Napi::CallbackInfo&) {
  return Napi::Number::New(env_, session_ ? session_->Channel().Port() : 0);
}

Napi::Value Vchan::IsWaiting(const Napi::CallbackInfo&) {
  return Napi::Boolean::New(env_, session_ && session_->IsWaiting());
}

// Returns -1 at the end.
Napi::Value Vchan::Read(const Napi::CallbackInfo& info) {
  if (!session_) return Napi::Number::New(env_, -1);
  auto into = info[0].As<Napi::Uint8Array>();
  const bool wanted = info[1].ToBoolean();
  try {
    if (!wanted && session_->IsOpen()) return Napi::Number::New(env_, 0);
    const auto length = session_->Read(BytesOf(into), into.ByteLength());
    return Napi::Number::New(env_, length ? static_cast<double>(*length) : -1);
  } catch (const Failure& failure) {
    throw ToError(env_, failure);
  }
}

Napi::Value Vchan::Write(const Napi::CallbackInfo& info) {
  if (!session_) return Napi::Number::New(env_, 0);
  const auto chunks = info[0].As<Napi::Array>();
  double written = 0;
  try {
    for (std::uint32_t i = 0, count = chunks.Length(); i < count; i++) {
      const Napi::HandleScope handles(env_);
      auto chunk = chunks.Get(i).As<Napi::Uint8Array>();
      const std::size_t length = session_->Write(BytesOf(chunk), chunk.ByteLength());
      written += static_cast<double>(length);
      if (length < chunk.ByteLength()) break;
    }
    if (written > 0) session_->Flush();
  } catch (const Failure& failure) {
    throw ToError(env_, failure);
  }
  return Napi::Number::New(env_, written);
}

void Vchan::Close(const Napi::CallbackInfo&) { Stop(); }

}  // namespace vifwatch
