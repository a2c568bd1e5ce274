// The watch events that libxenstore has queued.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xenstore/libxenstore.h"

namespace vifwatch {

struct WatchEvent {
  std::uint64_t id;  // the watch's token
  std::string path;
};

// Takes all queued events; does not block. Sets `connected` to false if the connection is lost.
// Only this call can tell: the descriptor does not become readable.
std::vector<WatchEvent> TakeEvents(xs_handle* xs, bool* connected);

// Returns false if the connection of a handle without watches is lost.
bool IsConnected(xs_handle* xs);

}  // namespace vifwatch
