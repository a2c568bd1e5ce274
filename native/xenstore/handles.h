// The library's two handles behind one connection.
#pragma once

#include "xenstore/libxenstore.h"

namespace vifwatch {

// The first xs_watch() on a handle gives it a thread that reads for it, and from then on every reply
// costs one more switch between threads: hence a handle for watches alone.
struct Handles {
  xs_handle* requests;
  xs_handle* events;
};

}  // namespace vifwatch
