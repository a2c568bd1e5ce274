// The watch events that libxenstore has queued.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xenstore/libxenstore.h"

namespace vifwatch {

struct WatchEvent {
  std::uint64_t id;  // the token that the watch was made with
  std::string path;
};

// Takes all events that are queued; does not block. `connected` becomes false if the connection is
// lost, of which nothing else tells: the descriptor does not become readable.
std::vector<WatchEvent> TakeEvents(xs_handle* xs, bool* connected);

// The same of a handle that watches nothing.
bool IsConnected(xs_handle* xs);

}  // namespace vifwatch
