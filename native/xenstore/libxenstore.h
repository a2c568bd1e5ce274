// Includes libxenstore's header, which has no `extern "C"` and does not include what it needs.
#pragma once

#include <cstdint>

extern "C" {
#include <xenstore.h>
}
