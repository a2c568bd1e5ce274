// The two libxenstore handles of one connection.
#pragma once

#include "xenstore/libxenstore.h"

namespace vifwatch {

// The first xs_watch() on a handle starts a thread that reads for the handle. From then on, every
// reply costs one more thread switch. Therefore watches have their own handle.
struct Handles {
  xs_handle* requests;
  xs_handle* events;
};

}  // namespace vifwatch
