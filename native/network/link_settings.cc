#include "network/link_settings.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <cstring>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "js_value.h"
#include "network/netlink.h"

namespace vifwatch {

namespace {

struct Link {
  std::string name;
  std::vector<std::int32_t> ipv4;
  std::vector<std::int32_t> ipv6;
};

using Links = std::map<int, Link>;

std::string TextOf(Attributes text) {
  if (text.data == nullptr) return {};
  const auto* start = static_cast<const char*>(text.data);
  return {start, strnlen(start, text.length)};
}

std::vector<std::int32_t> NumbersOf(Attributes bytes) {
  std::vector<std::int32_t> numbers(bytes.length / sizeof(std::int32_t));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data, numbers.size() * sizeof numbers[0]);
  return numbers;
}

Links ListLinks(const Netlink& netlink) {
  Links links;
  ifinfomsg request = {};
  netlink.Dump(
      RTM_GETLINK, request, [&] { links.clear(); },
      [&](const nlmsghdr* message) {
        const auto* body = BodyOf<ifinfomsg>(message);
        if (message->nlmsg_type != RTM_NEWLINK || body == nullptr) return;
        const Attributes all = AttributesOf<ifinfomsg>(message);
        const Attributes families = Find(all, IFLA_AF_SPEC);
        links[body->ifi_index] = {
            TextOf(Find(all, IFLA_IFNAME)),
            NumbersOf(Find(Find(families, AF_INET), IFLA_INET_CONF)),
            NumbersOf(Find(Find(families, AF_INET6), IFLA_INET6_CONF)),
        };
      });
  return links;
}

// Returns the IPv6 neighbour tables' delays of proxy answers in milliseconds, by link.
std::map<int, std::uint64_t> ListProxyDelays(const Netlink& netlink) {
  std::map<int, std::uint64_t> delays;
  ndtmsg request = {};
  request.ndtm_family = AF_INET6;
  netlink.Dump(
      RTM_GETNEIGHTBL, request, [&] { delays.clear(); },
      [&](const nlmsghdr* message) {
        if (message->nlmsg_type != RTM_NEWNEIGHTBL || BodyOf<ndtmsg>(message) == nullptr) return;
        const Attributes parameters = Find(AttributesOf<ndtmsg>(message), NDTA_PARMS);
        const Attributes index = Find(parameters, NDTPA_IFINDEX);
        const Attributes delay = Find(parameters, NDTPA_PROXY_DELAY);
        std::int32_t link = 0;
        std::uint64_t value = 0;
        if (index.length < sizeof link || delay.length < sizeof value) return;
        std::memcpy(&link, index.data, sizeof link);
        std::memcpy(&value, delay.data, sizeof value);
        delays[link] = value;
      });
  return delays;
}

std::vector<std::string> ListRuleLinks(const Netlink& netlink) {
  std::vector<std::string> names;
  fib_rule_hdr request = {};
  request.family = AF_UNSPEC;
  netlink.Dump(
      RTM_GETRULE, request, [&] { names.clear(); },
      [&](const nlmsghdr* message) {
        if (message->nlmsg_type != RTM_NEWRULE || BodyOf<fib_rule_hdr>(message) == nullptr) return;
        const Attributes all = AttributesOf<fib_rule_hdr>(message);
        for (const unsigned short type : {FRA_IIFNAME, FRA_OIFNAME}) {
          const std::string name = TextOf(Find(all, type));
          if (!name.empty()) names.push_back(name);
        }
      });
  return names;
}

Napi::Value ToJs(Napi::Env env, const std::vector<std::int32_t>& numbers) {
  auto array = Napi::Int32Array::New(env, numbers.size());
  if (!numbers.empty()) std::memcpy(array.Data(), numbers.data(), numbers.size() * sizeof numbers[0]);
  return array;
}

Napi::Object ToJs(Napi::Env env, const Link& link, std::uint64_t proxyDelayMs) {
  const auto object = Napi::Object::New(env);
  object.Set("name", Napi::String::New(env, link.name));
  object.Set("ipv4", ToJs(env, link.ipv4));
  if (link.ipv6.empty()) return object;
  object.Set("ipv6", ToJs(env, link.ipv6));
  object.Set("proxyDelayMs", Napi::Number::New(env, static_cast<double>(proxyDelayMs)));
  return object;
}

}  // namespace

Napi::Value LinkSettings(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const Netlink netlink(0, 0);
    const Links links = ListLinks(netlink);
    const auto delays = ListProxyDelays(netlink);
    const auto list = Napi::Array::New(env, links.size());
    std::uint32_t at = 0;
    for (const auto& [index, link] : links) {
      const auto delay = delays.find(index);
      list.Set(at++, ToJs(env, link, delay == delays.end() ? 0 : delay->second));
    }
    return list;
  } catch (const std::system_error& error) {
    throw Napi::Error(env, ErrorToJs(env, error.code().value()));
  }
}

Napi::Value RuleLinks(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const auto names = ListRuleLinks(Netlink(0, 0));
    const auto list = Napi::Array::New(env, names.size());
    std::uint32_t at = 0;
    for (const std::string& name : names) list.Set(at++, Napi::String::New(env, name));
    return list;
  } catch (const std::system_error& error) {
    throw Napi::Error(env, ErrorToJs(env, error.code().value()));
  }
}

}  // namespace vifwatch
