// One direction of a vchan: a ring of bytes that one end writes and the other reads. Either end keeps
// its own index to itself, as the peer can write to the shared one, and checks the peer's at each
// use: the methods throw Failure if there can be no such index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "vchan/vchan_interface.h"

namespace vifwatch {

class RingReader {
 public:
  RingReader(ring_shared* shared, const std::byte* bytes, unsigned order);

  // Takes at most `size` bytes; yields how many.
  std::size_t Read(std::byte* into, std::size_t size);
  void Check() const { Ready(); }
  // Nothing that is written from now on will be read; nor, with End(), what has been.
  void Freeze() { end_ = consumed_ + Ready(); }
  void End() { end_ = consumed_; }

 private:
  std::uint32_t Ready() const;

  ring_shared* shared_;
  const std::byte* bytes_;
  std::uint32_t size_;
  std::uint32_t consumed_;
  std::optional<std::uint32_t> end_;
};

class RingWriter {
 public:
  RingWriter(ring_shared* shared, std::byte* bytes, unsigned order);

  // Puts in at most `size` bytes, which Publish() makes visible; yields how many.
  std::size_t Write(const std::byte* from, std::size_t size);
  void Publish();
  void Check() const { Space(); }

 private:
  std::uint32_t Space() const;

  ring_shared* shared_;
  std::byte* bytes_;
  std::uint32_t size_;
  std::uint32_t produced_;
};

}  // namespace vifwatch
