// One end of a vchan while it is connected or waits to be, as libxenvchan has it on the other end.
// A peer that dies or closes is noticed; whatever it writes to the shared pages is not trusted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "vchan/control_page.h"
#include "vchan/event_channel.h"
#include "vchan/ring.h"
#include "vchan/server_pages.h"

namespace vifwatch {

// Methods throw Failure, and then only destruction is left.
class Session {
 public:
  // Waits for the peer of the pages. EBUSY while they serve another session.
  static std::unique_ptr<Session> Serve(const std::shared_ptr<ServerPages>& pages);
  static std::unique_ptr<Session> Join(std::uint32_t domid, std::uint32_t ref, std::uint32_t port);

  // Closes; the peer can still read what was written.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  EventChannel& Channel() { return channel_; }

  // No client has come yet.
  bool IsWaiting() const;
  // Also checks the peer's indices, whether they are of use now or not.
  bool IsOpen();

  // Reads at most `size` bytes. After 0 an event tells of more; none if the peer has closed and all
  // it had written was read.
  std::optional<std::size_t> Read(std::byte* into, std::size_t size);

  // Writes at most `size` bytes, for Flush() to show to the peer.
  std::size_t Write(const std::byte* from, std::size_t size);
  void Flush();

  // Whether anything was read, written or learned since the last call.
  bool TakeProgress() { return std::exchange(progress_, false); }

 private:
  // This end's part of the control page, and the peer's.
  struct Side {
    std::uint8_t* live;
    std::uint8_t* peerLive;
    std::uint8_t* wanted;       // what the peer shall send events for
    std::uint8_t* peerWanted;
  };
  using Owner = std::shared_ptr<void>;

  Session(EventChannel channel, Owner pages, const Side& side, RingReader reader,
          RingWriter writer);

  void Want(std::uint8_t bit);
  void Tell(std::uint8_t bit);

  EventChannel channel_;
  Owner pages_;
  Side side_;
  RingReader reader_;
  RingWriter writer_;
  bool ended_ = false;
  bool progress_ = false;
};

}  // namespace vifwatch
