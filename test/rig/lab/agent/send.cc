// Sends Ethernet frames as they are, once each: send LINK HEX...
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

std::vector<unsigned char> bytes_of(const std::string& hex) {
    std::vector<unsigned char> bytes;
    for (size_t at = 0; at + 1 < hex.size(); at += 2)
        bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const int out = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(if_nametoindex(argv[1]));
    if (bind(out, reinterpret_cast<sockaddr*>(&link), sizeof link) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (int at = 2; at < argc; ++at) {
        const std::vector<unsigned char> frame = bytes_of(argv[at]);
        if (send(out, frame.data(), frame.size(), 0) < 0) {
            perror("send");
            return 1;
        }
    }
}
