// Xen's libraries print what they fail at to stderr, unless they are given something to log to.
#pragma once

#include <cstdarg>

extern "C" {
#include <xentoollog.h>
}

namespace vifwatch {

inline xentoollog_logger* SilentLogger() {
  static xentoollog_logger logger = {
      .vmessage = [](xentoollog_logger*, xentoollog_level, int, const char*, const char*,
                     va_list) {},
      .progress = [](xentoollog_logger*, const char*, const char*, int, unsigned long,
                     unsigned long) {},
      .destroy = [](xentoollog_logger*) {},
  };
  return &logger;
}

}  // namespace vifwatch
