// One direction of a vchan: a ring of bytes that one end writes and the other end reads. The peer
// can write to both shared indices. Therefore each end keeps a private copy of its own index, and
// checks the peer's index at each use: the methods throw Failure if that index is impossible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "vchan/vchan_interface.h"

namespace vifwatch {

class RingReader {
 public:
  RingReader(ring_shared* shared, const std::byte* bytes, unsigned order);

  // Reads at most `size` bytes, and returns their number.
  std::size_t Read(std::byte* into, std::size_t size);
  void Check() const { Ready(); }
  // After Freeze(), bytes that the peer writes later are not read. After End(), no bytes are read.
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

  // Writes at most `size` bytes, and returns their number. Publish() shows them to the peer.
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
