#include "xenstore/watch_event.h"

#include <cerrno>

#include "xenstore/malloced.h"

namespace vifwatch {

std::vector<WatchEvent> TakeEvents(xs_handle* xs, bool* connected) {
  std::vector<WatchEvent> events;
  while (const Malloced<char*> event{xs_check_watch(xs)}) {
    const char* const* parts = event.get();
    events.push_back({std::strtoull(parts[XS_WATCH_TOKEN], nullptr, 10), parts[XS_WATCH_PATH]});
  }
  *connected = errno == EAGAIN;
  return events;
}

bool IsConnected(xs_handle* xs) {
  bool connected = false;
  TakeEvents(xs, &connected);
  return connected;
}

}  // namespace vifwatch
