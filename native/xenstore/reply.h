// The result of a request to xenstored.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "xenstore/libxenstore.h"

namespace vifwatch {

using Strings = std::vector<std::string>;
using OptionalStrings = std::vector<std::optional<std::string>>;
using Permissions = std::vector<xs_permissions>;
using Value = std::variant<std::monostate, xs_transaction_t, std::string, Strings, OptionalStrings,
                           Permissions>;

struct Reply {
  int error = 0;  // an errno; 0 if the request succeeded
  Value value = {};
};

}  // namespace vifwatch
