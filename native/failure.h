// What an operation on a vchan failed with.
#pragma once

#include <napi.h>

#include <system_error>

namespace vifwatch {

class Failure : public std::system_error {
 public:
  // `operation` is one of those that src/xen/native.ts lists.
  Failure(const char* operation, int error)
      : std::system_error(error, std::generic_category()), operation_(operation) {}

  const char* Operation() const { return operation_; }

 private:
  const char* operation_;
};

// An Error with the errno's name in `code`, and the `operation`.
Napi::Error ToError(Napi::Env env, const Failure& failure);

}  // namespace vifwatch
