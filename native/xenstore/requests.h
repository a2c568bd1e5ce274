// The requests to xenstored. Each blocks until xenstored answers, which it may never do.
#pragma once

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

Reply Read(xs_handle* xs, xs_transaction_t tx, const std::string& path);
// The values of all `paths` in their order; none for what is missing or may not be read.
Reply ReadAll(xs_handle* xs, xs_transaction_t tx, const Strings& paths);
Reply List(xs_handle* xs, xs_transaction_t tx, const std::string& path);
Reply Write(xs_handle* xs, xs_transaction_t tx, const std::string& path, const std::string& value);
Reply Remove(xs_handle* xs, xs_transaction_t tx, const std::string& path);
Reply GetPermissions(xs_handle* xs, xs_transaction_t tx, const std::string& path);
Reply SetPermissions(xs_handle* xs, xs_transaction_t tx, const std::string& path,
                     const Permissions& permissions);
Reply Begin(xs_handle* xs);
Reply End(xs_handle* xs, xs_transaction_t tx, bool abort);
Reply Watch(xs_handle* xs, const std::string& path, const std::string& token);
Reply Unwatch(xs_handle* xs, const std::string& path, const std::string& token);

// Whether an error may be what the request gets during which libxenstore gives up the connection:
// EINVAL, as if that request were wrong, or what the socket said.
bool IsBreak(int error);

}  // namespace vifwatch
