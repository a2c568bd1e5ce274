#include "process/spawn_program.h"

#include "failure.h"
#include "process/process_end.h"

namespace vifwatch {

namespace {

std::string ToText(const Napi::Value& value) {
  std::string text = value.As<Napi::String>();
  // A C string would end at the NUL.
  if (text.find('\0') != std::string::npos) throw Failure("arguments", EINVAL);
  return text;
}

std::vector<std::string> ToTexts(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < list.Length(); i++) texts.push_back(ToText(list.Get(i)));
  return texts;
}

std::uint32_t ToId(const Napi::Value& value) { return value.As<Napi::Number>().Uint32Value(); }

std::optional<Identity> ToIdentity(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  const auto identity = value.As<Napi::Object>();
  return Identity{ToId(identity.Get("uid")), ToId(identity.Get("gid"))};
}

Program ToProgram(const Napi::Object& object) {
  Program program{
      .path = ToText(object.Get("path")),
      .arguments = ToTexts(object.Get("argv")),
      .environment = ToTexts(object.Get("environment")),
      .descriptors = {},
      .identity = ToIdentity(object.Get("identity")),
  };
  const auto descriptors = object.Get("descriptors").As<Napi::Array>();
  for (std::uint32_t i = 0; i < program.descriptors.size(); i++) {
    program.descriptors[i] = Napi::Value(descriptors.Get(i)).As<Napi::Number>().Int32Value();
  }
  return program;
}

}  // namespace

Napi::Value Spawn(const Napi::CallbackInfo& info) {
  try {
    Process process = StartProcess(ToProgram(info[0].As<Napi::Object>()));
    const pid_t pid = process.pid;
    ProcessEnd::Watch(info.Env(), std::move(process), info[1].As<Napi::Function>());
    return Napi::Number::New(info.Env(), pid);
  } catch (const Failure& failure) {
    throw ToError(info.Env(), failure);
  }
}

}  // namespace vifwatch
