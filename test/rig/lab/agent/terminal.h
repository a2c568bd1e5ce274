#pragma once

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

// A raw terminal that never blocks: keeps an unfinished line of what comes in, and what could not go
// out yet.
class Terminal {
public:
    explicit Terminal(const std::string& path)
        : fd_(open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
        termios mode{};
        tcgetattr(fd_, &mode);
        cfmakeraw(&mode);
        tcsetattr(fd_, TCSANOW, &mode);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() { hang_up(); }

    int fd() const { return fd_; }
    bool open_still() const { return fd_ >= 0; }
    bool has_more() const { return !out_.empty(); }

    // The kernel may have left an unfinished line of its own, hence a line end before the line, too.
    void say(const std::string& line) {
        out_ += "\n" + line + "\n";
        flush();
    }

    void flush() {
        const ssize_t gone = write(fd_, out_.data(), out_.size());
        if (gone > 0) out_.erase(0, static_cast<size_t>(gone));
    }

    // The lines that are complete; hangs up at the end of what comes.
    std::vector<std::string> lines() {
        char bytes[4096];
        const ssize_t got = read(fd_, bytes, sizeof bytes);
        if (got == 0 || (got < 0 && errno != EAGAIN)) hang_up();
        if (got > 0) in_.append(bytes, static_cast<size_t>(got));
        std::vector<std::string> complete;
        for (size_t end; (end = in_.find('\n')) != std::string::npos; in_.erase(0, end + 1))
            complete.push_back(in_.substr(0, end));
        return complete;
    }

private:
    void hang_up() {
        if (fd_ >= 0) close(std::exchange(fd_, -1));
    }

    int fd_;
    std::string in_, out_;
};
