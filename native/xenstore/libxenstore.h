// libxenstore's header, which is plain C and says neither `extern "C"` nor what it needs.
#pragma once

#include <cstdint>

extern "C" {
#include <xenstore.h>
}
