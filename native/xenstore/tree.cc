#include "xenstore/tree.h"

#include "xenstore/requests.h"

namespace vifwatch {

namespace {

// C xenstored answers EACCES for a missing node if its parent is not readable.
bool Gone(int error) { return error == ENOENT || error == EACCES; }

std::string Join(const std::string& parent, const std::string& child) {
  if (parent.empty() || child.empty()) return parent + child;
  return parent.back() == '/' ? parent + child : parent + '/' + child;
}

class Walk {
 public:
  Walk(xs_handle* xs, const std::string& root) : xs_(xs), root_(root) {}

  Reply Run() {
    if (const int error = Visit(""); error != 0) return {error};
    while (!todo_.empty()) {
      const std::string key = std::move(todo_.back());
      todo_.pop_back();
      const int error = Visit(key);
      if (error != 0 && !Gone(error)) return {error};
    }
    return {0, std::move(found_)};
  }

 private:
  int Visit(const std::string& key) {
    const std::string path = Join(root_, key);
    Reply value = Read(xs_, XBT_NULL, path);
    if (value.error != 0) return value.error;
    const Reply children = List(xs_, XBT_NULL, path);
    if (children.error != 0) return children.error;
    return Keep(key, std::get<std::string>(value.value), std::get<Strings>(children.value));
  }

  int Keep(const std::string& key, const std::string& value, const Strings& children) {
    size_ += value.size();
    found_.push_back(key);
    found_.push_back(value);
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      todo_.push_back(Join(key, *child));
      size_ += kNodeSize + todo_.back().size();
    }
    return size_ > kMaxTree ? E2BIG : 0;
  }

  xs_handle* const xs_;
  const std::string& root_;
  Strings found_;
  Strings todo_;
  std::size_t size_ = 0;
};

}  // namespace

Reply Tree(xs_handle* xs, const std::string& root) { return Walk(xs, root).Run(); }

}  // namespace vifwatch
