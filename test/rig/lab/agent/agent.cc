// Runs commands for the lab on the far side of a terminal: agent TERMINAL
//
// A request is a line "ID HOST WORD...". For this host the words are a command, which runs beside the
// others and is answered by "@ID STATUS SECONDS STDOUT STDERR". For another it goes on to the console
// that "ID connect HOST CONSOLE" gave to that host, and what comes from there with an "@" goes back.
// Everything else on a line is the kernel's talk.
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>
#include <sstream>

#include "terminal.h"
#include "words.h"

namespace {

// A command that runs, and the files that it writes to.
struct Command {
    std::string id;
    int out, err;
    double began;
};

double now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::string host_name() {
    char name[64] = "";
    gethostname(name, sizeof name - 1);
    return name;
}

std::string take(int fd) {
    std::string bytes(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
    const ssize_t got = pread(fd, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    close(fd);
    return bytes;
}

[[noreturn]] void execute(const std::vector<std::string>& argv, int out, int err) {
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setsid();
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(words[0], words.data());
    perror(words[0]);
    _exit(127);
}

class Agent {
public:
    explicit Agent(const char* terminal) : port_(terminal), host_(host_name()) {
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        sigprocmask(SIG_BLOCK, &child, nullptr);
        children_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
        port_.say("@hello " + host_);
    }

    void run() {
        while (port_.open_still()) turn();
    }

private:
    void turn() {
        std::vector<Terminal*> terminals{&port_};
        for (const auto& [host, console] : consoles_)
            if (console->open_still()) terminals.push_back(console.get());
        std::vector<pollfd> polled{{children_, POLLIN, 0}};
        for (const Terminal* terminal : terminals) {
            const int events = terminal->has_more() ? POLLIN | POLLOUT : POLLIN;
            polled.push_back({terminal->fd(), static_cast<short>(events), 0});
        }
        poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) reap();
        for (size_t at = terminals.size(); at-- > 0;) {
            const int events = polled[at + 1].revents;
            if ((events & POLLOUT) != 0) terminals[at]->flush();
            if ((events & ~POLLOUT) != 0) receive(*terminals[at]);
        }
    }

    void receive(Terminal& terminal) {
        for (const std::string& line : terminal.lines()) {
            if (&terminal == &port_) request(line);
            else if (line.starts_with('@')) port_.say(line);
        }
    }

    void request(const std::string& line) {
        std::istringstream words(line);
        std::string id, host;
        words >> id >> host;
        std::vector<std::string> argv;
        for (std::string word; words >> word;) argv.push_back(decode(word));
        if (argv.empty()) return;
        if (host == host_) {
            start(id, argv);
        } else if (host == "connect") {
            consoles_[argv.front()] = std::make_unique<Terminal>(argv.back());
            answer(id, consoles_[argv.front()]->open_still() ? 0 : 1, 0, "", "");
        } else if (const auto found = consoles_.find(host);
                   found != consoles_.end() && found->second->open_still()) {
            found->second->say(line);
        } else {
            answer(id, 126, 0, "", "no console of " + host);
        }
    }

    void start(const std::string& id, const std::vector<std::string>& argv) {
        const int out = memfd_create("out", MFD_CLOEXEC);
        const int err = memfd_create("err", MFD_CLOEXEC);
        const double began = now();
        const pid_t pid = fork();
        if (pid == 0) execute(argv, out, err);
        running_[pid] = {id, out, err, began};
    }

    void reap() {
        signalfd_siginfo ignored{};
        while (read(children_, &ignored, sizeof ignored) > 0) {}
        int status = 0;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto& [id, out, err, began] = running_[pid];
            const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            answer(id, code, now() - began, take(out), take(err));
            running_.erase(pid);
        }
    }

    void answer(const std::string& id, int status, double seconds, const std::string& out,
                const std::string& err) {
        std::ostringstream line;
        line << '@' << id << ' ' << status << ' ' << seconds << ' ' << encode(out) << ' ' << encode(err);
        port_.say(line.str());
    }

    Terminal port_;
    std::string host_;
    int children_;
    std::map<std::string, std::unique_ptr<Terminal>> consoles_;
    std::map<pid_t, Command> running_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Agent(argv[1]).run();
}
