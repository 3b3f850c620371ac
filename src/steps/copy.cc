// Copy steps (file provisioner, upload) and fetch steps (download).
#include "steps/job.h"

namespace kiln::steps {

namespace {

/// Uploads of generated content stand in files of their own for the time of the step.
Result<std::vector<sandbox::Upload>> uploads_of(const plan::CopyStep& what, const TempDir& generated) {
  std::vector<sandbox::Upload> uploads;
  for (std::size_t i = 0; i < what.items.size(); ++i) {
    const plan::CopyItem& item = what.items[i];
    fs::path source = item.source;
    if (source.empty()) {
      source = generated.path() / fmt::format("content-{}", i);
      TRY(write_file_quick(source, item.content));
    }
    uploads.push_back({std::move(source), item.destination, item.contents});
  }
  return uploads;
}

}  // namespace

Result<engine::Outcome> run_copy(const Job& job, const plan::CopyStep& what) {
  const store::Scratch scratch = TRY(job.context.store.scratch("upload"));
  const TempDir generated = TRY(TempDir::create(scratch.path(), "content"));
  const auto uploads = TRY(uploads_of(what, generated));
  return make_layer(
      job, [&](sandbox::RunSpec& spec) { spec.action = uploads; },
      [](const sandbox::RunResult& ran) -> Result<> {
        if (ran.exit_code != 0) return error(Errc::step_failed, "the upload ended with {}", ran.exit_code);
        return {};
      });
}

namespace {

/// Brings a path of the tree, or with a trailing "/" what is in it, into a directory of this machine.
Result<> bring(const Job& job, const std::string& source, const fs::path& into, const std::vector<fs::path>& over) {
  TRY(make_dirs(into));
  const store::Scratch scratch = TRY(job.context.store.scratch("download"));
  sandbox::RunSpec spec = TRY(sandbox_spec(job.context, job.from, scratch.path()));
  spec.lowers.insert(spec.lowers.end(), over.begin(), over.end());
  spec.on_line = [&](std::string_view text, bool is_stderr) { job.line(text, is_stderr); };
  spec.action = std::vector<sandbox::Download>{{source, into}};
  const sandbox::RunResult ran = TRY(sandbox::run(spec, job.cancel));
  if (ran.exit_code != 0) return error(Errc::step_failed, "downloading {} ended with {}", source, ran.exit_code);
  return {};
}

}  // namespace

Result<> copy_whole(const fs::path& from, const fs::path& to) {
  const Fd in = TRY(open_read(from));
  AtomicFile file = TRY(AtomicFile::create(to));
  FdSource source(in.get());
  FdSink sink(file.fd());
  TRY(copy_all(source, sink).context("writing {}", to));
  return file.commit();
}

/// As Packer: a destination that ends with "/" gets the file under its own name, else it is the file's new name.
Result<engine::Outcome> run_fetch(const Job& job, const plan::FetchStep& what, const std::vector<fs::path>& over) {
  if (what.source.ends_with('/')) {
    TRY(bring(job, what.source, what.destination, over));
    return engine::Outcome{};
  }
  const store::Scratch scratch = TRY(job.context.store.scratch("downloaded"));
  TRY(bring(job, what.source, scratch.path(), over));
  const fs::path name = fs::path(what.source).filename();
  const bool below = what.destination.native().ends_with('/');
  const fs::path to = below ? what.destination / name : what.destination;
  std::error_code ec;
  if (fs::is_directory(scratch.path() / name, ec)) {
    TRY(bring(job, what.source + "/", to, over));
    return engine::Outcome{};
  }
  TRY(make_dirs(to.parent_path()));
  TRY(copy_whole(scratch.path() / name, to));
  return engine::Outcome{};
}

}  // namespace kiln::steps
