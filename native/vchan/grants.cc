#include "vchan/grants.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "failure.h"
#include "vchan/silent_logger.h"

namespace vifwatch {

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

template <typename Pages, typename Owner>
Pages Take(void* pages, Owner* owner, std::uint32_t count, const char* operation) {
  if (pages == nullptr) throw Failure(operation, errno);
  return Pages(static_cast<std::byte*>(pages), {owner, count});
}

}  // namespace

Granter::Granter() : handle_(xengntshr_open(SilentLogger(), 0)) {
  if (!handle_) throw Failure("open gntalloc", errno);
  // The library opens the descriptor without O_CLOEXEC, and so every program would inherit it.
  if (fcntl(xengntshr_fd(handle_.get()), F_SETFD, FD_CLOEXEC) != 0) {
    throw Failure("open gntalloc", errno);
  }
}

GrantedPages Granter::Share(std::uint32_t domid, std::span<std::uint32_t> refs) {
  const auto count = static_cast<std::uint32_t>(refs.size());
  void* pages =
      xengntshr_share_pages(handle_.get(), domid, static_cast<int>(count), refs.data(), 1);
  return Take<GrantedPages>(pages, handle_.get(), count, "grant pages");
}

GrantedPages Granter::Share(std::uint32_t domid, std::uint32_t* ref, const UnmapNotify& notify) {
  void* page = xengntshr_share_page_notify(handle_.get(), domid, ref, 1,
                                           notify.offset.value_or(kNone),
                                           notify.port.value_or(kNone));
  return Take<GrantedPages>(page, handle_.get(), 1, "grant pages");
}

Mapper::Mapper() : handle_(xengnttab_open(SilentLogger(), 0)) {
  if (!handle_) throw Failure("open gntdev", errno);
}

MappedPages Mapper::Map(std::uint32_t domid, std::span<std::uint32_t> refs, bool writable) {
  const auto count = static_cast<std::uint32_t>(refs.size());
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* pages =
      xengnttab_map_domain_grant_refs(handle_.get(), count, domid, refs.data(), protection);
  return Take<MappedPages>(pages, handle_.get(), count, "map pages");
}

MappedPages Mapper::Map(std::uint32_t domid, std::uint32_t ref, const UnmapNotify& notify) {
  void* page = xengnttab_map_grant_ref_notify(handle_.get(), domid, ref, PROT_READ | PROT_WRITE,
                                              notify.offset.value_or(kNone),
                                              notify.port.value_or(kNone));
  return Take<MappedPages>(page, handle_.get(), 1, "map pages");
}

}  // namespace vifwatch
