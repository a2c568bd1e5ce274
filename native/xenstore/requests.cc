#include "xenstore/requests.h"

#include "xenstore/malloced.h"

namespace vifwatch {

namespace {

// libxenstore leaves errno at 0 if an allocation fails in the middle of a reply.
Reply Failed() { return {errno != 0 ? errno : EIO}; }

Reply Done(bool succeeded) { return succeeded ? Reply{} : Failed(); }

}  // namespace

Reply Read(xs_handle* xs, xs_transaction_t tx, const std::string& path) {
  unsigned length = 0;
  const Malloced<void> value(xs_read(xs, tx, path.c_str(), &length));
  if (!value) return Failed();
  return {0, std::string(static_cast<const char*>(value.get()), length)};
}

Reply ReadAll(xs_handle* xs, xs_transaction_t tx, const Strings& paths) {
  OptionalStrings values;
  for (const std::string& path : paths) {
    Reply reply = Read(xs, tx, path);
    if (reply.error == 0) {
      values.emplace_back(std::get<std::string>(std::move(reply.value)));
    } else if (reply.error == ENOENT || reply.error == EACCES) {
      values.emplace_back();
    } else {
      return reply;
    }
  }
  return {0, std::move(values)};
}

Reply List(xs_handle* xs, xs_transaction_t tx, const std::string& path) {
  unsigned count = 0;
  const Malloced<char*> names(xs_directory(xs, tx, path.c_str(), &count));
  if (!names) return Failed();
  return {0, Strings(names.get(), names.get() + count)};
}

Reply Write(xs_handle* xs, xs_transaction_t tx, const std::string& path, const std::string& value) {
  return Done(xs_write(xs, tx, path.c_str(), value.data(),
                       static_cast<unsigned>(value.size())));
}

Reply Remove(xs_handle* xs, xs_transaction_t tx, const std::string& path) {
  return Done(xs_rm(xs, tx, path.c_str()));
}

Reply GetPermissions(xs_handle* xs, xs_transaction_t tx, const std::string& path) {
  unsigned count = 0;
  const Malloced<xs_permissions> list(xs_get_permissions(xs, tx, path.c_str(), &count));
  if (!list) return Failed();
  return {0, Permissions(list.get(), list.get() + count)};
}

Reply SetPermissions(xs_handle* xs, xs_transaction_t tx, const std::string& path,
                     const Permissions& permissions) {
  Permissions list = permissions;  // libxenstore wants it writable
  return Done(xs_set_permissions(xs, tx, path.c_str(), list.data(),
                                 static_cast<unsigned>(list.size())));
}

Reply Begin(xs_handle* xs) {
  const xs_transaction_t tx = xs_transaction_start(xs);
  return tx == XBT_NULL ? Failed() : Reply{0, tx};
}

Reply End(xs_handle* xs, xs_transaction_t tx, bool abort) {
  return Done(xs_transaction_end(xs, tx, abort));
}

Reply Watch(xs_handle* xs, const std::string& path, const std::string& token) {
  return Done(xs_watch(xs, path.c_str(), token.c_str()));
}

Reply Unwatch(xs_handle* xs, const std::string& path, const std::string& token) {
  return Done(xs_unwatch(xs, path.c_str(), token.c_str()));
}

bool IsBreak(int error) { return error == EINVAL || error == EPIPE || error == ECONNRESET; }

}  // namespace vifwatch
