// The requests to xenstored. Each blocks until xenstored answers, which may never happen.
#pragma once

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

Reply Read(xs_handle* xs, xs_transaction_t tx, const std::string& path);
// Reads the values of all `paths`, in their order; nullopt for a node that is missing or not
// readable.
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

// True for the errors of a request during which libxenstore loses the connection: EINVAL, as if the
// request were wrong, or the socket's error.
bool IsBreak(int error);

}  // namespace vifwatch
