// One end of a vchan that is connected or waits for its client. It is compatible with libxenvchan
// at the other end. It notices when the peer dies or closes, and does not trust the peer's writes
// to the shared pages.
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

// The methods throw Failure. Then the session may only be destroyed.
class Session {
 public:
  // Starts a server's session, which waits for the pages' peer. Throws Failure with EBUSY while
  // another session uses the pages.
  static std::unique_ptr<Session> Serve(const std::shared_ptr<ServerPages>& pages);
  static std::unique_ptr<Session> Join(std::uint32_t domid, std::uint32_t ref, std::uint32_t port);

  // Closes the session. The peer can still read the bytes that were written.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  EventChannel& Channel() { return channel_; }

  // True while no client has connected. False if the event channel is broken, which Read() reports.
  bool IsWaiting() const;
  // False if the peer has closed or died. Always checks the peer's indices too.
  bool IsOpen();

  // Reads at most `size` bytes. After 0, an event follows when more arrive. Returns nullopt if the
  // peer has closed and all its bytes were read.
  std::optional<std::size_t> Read(std::byte* into, std::size_t size);

  // Writes at most `size` bytes. Flush() shows them to the peer.
  std::size_t Write(const std::byte* from, std::size_t size);
  void Flush();

  // True if bytes were read or written, or the end was noticed, since the last call.
  bool TakeProgress() { return std::exchange(progress_, false); }

 private:
  // This end's part of the control page, and the peer's.
  struct Side {
    std::uint8_t* live;
    std::uint8_t* peerLive;
    std::uint8_t* wanted;  // bits that ask the peer for events
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
