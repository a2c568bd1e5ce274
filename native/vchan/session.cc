#include "vchan/session.h"

#include <atomic>
#include <cerrno>

#include "failure.h"
#include "vchan/client_pages.h"

namespace vifwatch {

namespace {

constexpr std::uint8_t kClosed = 0;
constexpr std::uint8_t kConnected = 1;
constexpr std::uint8_t kWaiting = 2;

std::uint8_t Load(std::uint8_t* byte) {
  return std::atomic_ref(*byte).load(std::memory_order_acquire);
}

void Store(std::uint8_t* byte, std::uint8_t value) {
  std::atomic_ref(*byte).store(value, std::memory_order_release);
}

// A server's pages, and the notification of one session.
struct Served {
  std::shared_ptr<ServerPages> pages;
  GrantedPages peerDeathNotify;
};

}  // namespace

Session::Session(EventChannel channel, Owner pages, const Side& side, RingReader reader,
                 RingWriter writer)
    : channel_(std::move(channel)),
      pages_(std::move(pages)),
      side_(side),
      reader_(reader),
      writer_(writer) {}

std::unique_ptr<Session> Session::Serve(const std::shared_ptr<ServerPages>& pages) {
  if (pages.use_count() > 1) throw Failure("offer port", EBUSY);
  EventChannel channel = EventChannel::Offer(pages->Domid());
  GrantedPages peerDeathNotify = pages->PeerDeathNotify(channel.Port());
  const auto [control, orders, left, right] = pages->Begin();
  const Side side = {&control->srv_live, &control->cli_live, &control->cli_notify,
                     &control->srv_notify};
  std::unique_ptr<Session> session(
      new Session(std::move(channel),
                  std::make_shared<Served>(Served{pages, std::move(peerDeathNotify)}), side,
                  {&control->left, left, orders.left}, {&control->right, right, orders.right}));
  session->Want(VCHAN_NOTIFY_WRITE);
  return session;
}

std::unique_ptr<Session> Session::Join(std::uint32_t domid, std::uint32_t ref,
                                       std::uint32_t port) {
  EventChannel channel = EventChannel::Join(domid, port);
  auto pages = std::make_shared<ClientPages>(domid, ref, channel.Port());
  const auto [control, orders, left, right] = pages->Rings();
  const Side side = {&control->cli_live, &control->srv_live, &control->srv_notify,
                     &control->cli_notify};
  std::unique_ptr<Session> session(
      new Session(std::move(channel), std::move(pages), side,
                  {&control->right, right, orders.right}, {&control->left, left, orders.left}));
  Store(side.live, kConnected);
  session->Want(VCHAN_NOTIFY_WRITE);
  session->channel_.Notify();
  return session;
}

Session::~Session() {
  Store(side_.live, kClosed);
  pages_.reset();
  channel_.Notify();
}

bool Session::IsWaiting() const {
  return !channel_.IsBroken() && Load(side_.peerLive) == kWaiting;
}

bool Session::IsOpen() {
  if (ended_) return false;
  channel_.Check();
  reader_.Check();
  writer_.Check();
  // The server overwrites our own byte when it begins another session in these pages.
  const bool replaced = Load(side_.live) != kConnected;
  if (!replaced && Load(side_.peerLive) != kClosed) return true;
  ended_ = true;
  progress_ = true;
  if (replaced) {
    reader_.End();
  } else {
    reader_.Freeze();
  }
  return false;
}

std::optional<std::size_t> Session::Read(std::byte* into, std::size_t size) {
  // This check comes before the read: a peer may write and then close.
  const bool open = IsOpen();
  std::size_t length = reader_.Read(into, size);
  if (length == 0) {
    if (!open) return std::nullopt;
    Want(VCHAN_NOTIFY_WRITE);
    length = reader_.Read(into, size);
  }
  if (length == 0) return 0;
  progress_ = true;
  Tell(VCHAN_NOTIFY_READ);
  return length;
}

std::size_t Session::Write(const std::byte* from, std::size_t size) {
  channel_.Check();
  std::size_t length = writer_.Write(from, size);
  if (length < size) {
    Want(VCHAN_NOTIFY_READ);
    length += writer_.Write(from + length, size - length);
  }
  if (length > 0) progress_ = true;
  return length;
}

void Session::Flush() {
  writer_.Publish();
  Tell(VCHAN_NOTIFY_WRITE);
}

void Session::Want(std::uint8_t bit) {
  std::atomic_ref(*side_.wanted).fetch_or(bit);
  // The caller reads the indices again after this. Otherwise a change at this moment would neither
  // be seen nor cause an event.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Session::Tell(std::uint8_t bit) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto other = static_cast<std::uint8_t>(~bit);
  const std::uint8_t wanted = std::atomic_ref(*side_.peerWanted).fetch_and(other);
  if ((wanted & bit) != 0) channel_.Notify();
}

}  // namespace vifwatch
