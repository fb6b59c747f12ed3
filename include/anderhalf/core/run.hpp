#pragma once
#include <anderhalf/core/types.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

namespace anderhalf {

/// Thrown when the caller asks a running computation to stop.
class Stopped : public std::runtime_error {
public:
    Stopped() : std::runtime_error{"stopped by the caller"} {}
};

/// How a call is carried out: never part of its result.
struct Run {
    int threads = 1;
    std::stop_token stop{};
    std::function<void(Index done, Index total)> progress{};  ///< called from one thread at a time
    std::vector<Index>* work_per_thread = nullptr;            ///< when given: chunks done by each thread
};

/// Calls body(chunk) for every chunk of a fixed grid, on up to `run.threads` threads that live for this call.
/// The grid does not depend on the number of threads; results stored by chunk index are the same on any of them.
/// @throw Stopped  when run.stop was requested; the first exception of a body otherwise
template <class Body>
void for_each_chunk(const Run& run, Index chunks, Body&& body) {
    const int threads = static_cast<int>(std::clamp<Index>(run.threads, 1, std::max<Index>(chunks, 1)));
    std::atomic<Index> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr error;
    std::mutex guard;
    Index done = 0;
    std::vector<Index> work(static_cast<std::size_t>(threads), 0);
    const auto worker = [&](int id) {
        for (Index chunk = next++; chunk < chunks; chunk = next++) {
            if (failed.load()) return;
            try {
                if (run.stop.stop_requested()) throw Stopped{};
                body(chunk);
            } catch (...) {
                const std::scoped_lock lock{guard};
                if (!error) error = std::current_exception();
                failed = true;
                return;
            }
            ++work[static_cast<std::size_t>(id)];
            if (run.progress) {
                const std::scoped_lock lock{guard};
                run.progress(++done, chunks);
            }
        }
    };
    if (threads == 1) {
        worker(0);
    } else {
        std::vector<std::jthread> pool;
        for (int id = 0; id < threads; ++id) pool.emplace_back(worker, id);
    }
    if (run.work_per_thread != nullptr) *run.work_per_thread = work;
    if (error) std::rethrow_exception(error);
}

}  // namespace anderhalf
