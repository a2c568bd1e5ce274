// A logger that drops everything. Without a logger, Xen's libraries print their errors to stderr.
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
