// Owns memory that libxenstore has allocated with malloc().
#pragma once

#include <cstdlib>
#include <memory>

namespace vifwatch {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

template <typename T>
using Malloced = std::unique_ptr<T, Free>;

}  // namespace vifwatch
