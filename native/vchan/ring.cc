#include "vchan/ring.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "failure.h"

namespace vifwatch {

namespace {

// The indices count bytes and wrap around at 2^32, which is a multiple of every ring's size.
std::uint32_t Distance(std::uint32_t produced, std::uint32_t consumed, std::uint32_t size) {
  const std::uint32_t distance = produced - consumed;
  if (distance > size) throw Failure("check indices", EPROTO);
  return distance;
}

std::uint32_t Load(std::uint32_t* index) {
  return std::atomic_ref(*index).load(std::memory_order_acquire);
}

void Store(std::uint32_t* index, std::uint32_t value) {
  std::atomic_ref(*index).store(value, std::memory_order_release);
}

}  // namespace

RingReader::RingReader(ring_shared* shared, const std::byte* bytes, unsigned order)
    : shared_(shared), bytes_(bytes), size_(1U << order), consumed_(Load(&shared->cons)) {}

std::uint32_t RingReader::Ready() const {
  return Distance(end_ ? *end_ : Load(&shared_->prod), consumed_, size_);
}

std::size_t RingReader::Read(std::byte* into, std::size_t size) {
  const std::size_t length = std::min<std::size_t>(Ready(), size);
  if (length == 0) return 0;
  const std::size_t at = consumed_ & (size_ - 1);
  const std::size_t first = std::min(length, size_ - at);
  std::memcpy(into, bytes_ + at, first);
  std::memcpy(into + first, bytes_, length - first);
  consumed_ += static_cast<std::uint32_t>(length);
  Store(&shared_->cons, consumed_);
  return length;
}

RingWriter::RingWriter(ring_shared* shared, std::byte* bytes, unsigned order)
    : shared_(shared), bytes_(bytes), size_(1U << order), produced_(Load(&shared->prod)) {}

std::uint32_t RingWriter::Space() const {
  return size_ - Distance(produced_, Load(&shared_->cons), size_);
}

std::size_t RingWriter::Write(const std::byte* from, std::size_t size) {
  const std::size_t length = std::min<std::size_t>(Space(), size);
  if (length == 0) return 0;
  const std::size_t at = produced_ & (size_ - 1);
  const std::size_t first = std::min(length, size_ - at);
  std::memcpy(bytes_ + at, from, first);
  std::memcpy(bytes_, from + first, length - first);
  produced_ += static_cast<std::uint32_t>(length);
  return length;
}

void RingWriter::Publish() { Store(&shared_->prod, produced_); }

}  // namespace vifwatch
