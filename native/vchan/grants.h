// Pages that one domain grants and another domain maps. The operations throw Failure.
#pragma once

extern "C" {
#include <xengnttab.h>
}

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace vifwatch {

// The kernel's action when the pages are unmapped, also when the process dies: it clears the byte
// at `offset` of the first page, or sends an event to `port`.
struct UnmapNotify {
  std::optional<std::uint32_t> offset = {};
  std::optional<std::uint32_t> port = {};
};

struct Unshare {
  xengntshr_handle* granter;
  std::uint32_t count;
  void operator()(std::byte* pages) const { xengntshr_unshare(granter, pages, count); }
};
using GrantedPages = std::unique_ptr<std::byte, Unshare>;

class Granter {
 public:
  Granter();
  // Grants as many pages as `refs` has entries, and fills them with the grant references.
  GrantedPages Share(std::uint32_t domid, std::span<std::uint32_t> refs);
  GrantedPages Share(std::uint32_t domid, std::uint32_t* ref, const UnmapNotify& notify);

 private:
  struct Close {
    void operator()(xengntshr_handle* handle) const { xengntshr_close(handle); }
  };
  std::unique_ptr<xengntshr_handle, Close> handle_;
};

struct Unmap {
  xengnttab_handle* mapper;
  std::uint32_t count;
  void operator()(std::byte* pages) const { xengnttab_unmap(mapper, pages, count); }
};
using MappedPages = std::unique_ptr<std::byte, Unmap>;

class Mapper {
 public:
  Mapper();
  MappedPages Map(std::uint32_t domid, std::span<std::uint32_t> refs, bool writable);
  MappedPages Map(std::uint32_t domid, std::uint32_t ref, const UnmapNotify& notify);

 private:
  struct Close {
    void operator()(xengnttab_handle* handle) const { xengnttab_close(handle); }
  };
  std::unique_ptr<xengnttab_handle, Close> handle_;
};

}  // namespace vifwatch
