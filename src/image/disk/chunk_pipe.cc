#include "image/disk/chunk_pipe.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace kiln::image {

namespace {

constexpr unsigned kMaxThreads = 64;
constexpr std::size_t kSlotsPerThread = 8;  // enough that no thread waits for the one that takes

struct Slot {
  std::vector<std::byte> chunk, made;
  bool is_made = false;
};

}  // namespace

/// A ring of chunks; given >= claimed, taken say how far the producer, the workers and the taker have come.
struct ChunkPipe::State {
  State(std::size_t bytes, unsigned workers, Take taker)
      : chunk_bytes(bytes), take(std::move(taker)), slots(kSlotsPerThread * workers + 4) {}

  const std::size_t chunk_bytes;
  const Take take;
  std::mutex mutex;
  std::condition_variable given_more, made_more, taken_more;
  std::vector<Slot> slots;
  std::uint64_t given = 0, claimed = 0, taken = 0;
  bool no_more = false, stop = false;
  std::optional<Error> failure;
  std::vector<std::thread> threads;
  std::vector<std::byte> filling;  // used by the producer alone

  Slot& slot(std::uint64_t index) { return slots[index % slots.size()]; }
  void work(const Work& on_chunk);
  void hand_on();
  Result<> give();
  void end_threads(bool at_once);
};

void ChunkPipe::State::work(const Work& on_chunk) {
  std::unique_lock lock(mutex);
  for (;;) {
    given_more.wait(lock, [this] { return stop || claimed < given || no_more; });
    if (stop || claimed == given) return;
    Slot& mine = slot(claimed++);
    lock.unlock();
    on_chunk(mine.chunk, mine.made);
    lock.lock();
    mine.is_made = true;
    made_more.notify_one();
  }
}

void ChunkPipe::State::hand_on() {
  std::unique_lock lock(mutex);
  for (;;) {
    made_more.wait(lock, [this] { return stop || (taken < given ? slot(taken).is_made : no_more); });
    if (stop || taken == given) return;
    Slot& mine = slot(taken);
    lock.unlock();
    Result<> result = take(mine.chunk, mine.made);
    lock.lock();
    mine.is_made = false;
    ++taken;
    if (!result) {
      failure = std::move(result).error();
      stop = true;
      given_more.notify_all();
    }
    taken_more.notify_one();
  }
}

Result<> ChunkPipe::State::give() {
  std::unique_lock lock(mutex);
  taken_more.wait(lock, [this] { return stop || given - taken < slots.size(); });
  if (failure) return *failure;
  std::swap(slot(given).chunk, filling);
  ++given;
  filling.clear();
  given_more.notify_one();
  return {};
}

void ChunkPipe::State::end_threads(bool at_once) {
  {
    const std::lock_guard lock(mutex);
    no_more = true;
    stop = stop || at_once;
    given_more.notify_all();
    made_more.notify_all();
  }
  for (std::thread& t : threads) t.join();
  threads.clear();
}

ChunkPipe::ChunkPipe(std::unique_ptr<State> state) : state_(std::move(state)) {}

ChunkPipe::~ChunkPipe() {
  state_->end_threads(true);
}

Result<std::unique_ptr<ChunkPipe>> ChunkPipe::start(std::size_t chunk_bytes, unsigned threads,
                                                    const std::function<Work()>& new_work, Take take) {
  threads = std::clamp(threads, 1U, kMaxThreads);
  std::unique_ptr<ChunkPipe> pipe(new ChunkPipe(std::make_unique<State>(chunk_bytes, threads, std::move(take))));
  State* const state = pipe->state_.get();
  try {
    state->threads.emplace_back([state] { state->hand_on(); });
    for (unsigned i = 0; i < threads; ++i)
      state->threads.emplace_back([state, work = new_work()] { state->work(work); });
  } catch (const std::system_error& e) {
    return errno_error(e.code().value(), "start a compressing thread");
  }
  return pipe;
}

Result<> ChunkPipe::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), s.chunk_bytes - s.filling.size());
    s.filling.insert(s.filling.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (s.filling.size() == s.chunk_bytes) TRY(s.give());
  }
  return {};
}

Result<> ChunkPipe::finish() {
  State& s = *state_;
  if (!s.filling.empty()) TRY(s.give());
  s.end_threads(false);
  if (s.failure) return *s.failure;
  return {};
}

}  // namespace kiln::image
