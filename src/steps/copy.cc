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

Result<engine::Outcome> run_fetch(const Job& job, const plan::FetchStep& what) {
  const store::Scratch scratch = TRY(job.context.store.scratch("download"));
  sandbox::RunSpec spec = TRY(sandbox_spec(job.context, job.from, scratch.path()));
  spec.on_line = [&](std::string_view text, bool is_stderr) { job.line(text, is_stderr); };
  const bool into_dir = what.destination.native().ends_with('/') || what.source.ends_with('/');
  const fs::path dir = into_dir ? what.destination : what.destination.parent_path();
  TRY(make_dirs(dir.empty() ? "." : dir));
  spec.action = std::vector<sandbox::Download>{{what.source, what.destination}};
  const sandbox::RunResult ran = TRY(sandbox::run(spec, job.cancel));
  if (ran.exit_code != 0) return error(Errc::step_failed, "downloading {} ended with {}", what.source, ran.exit_code);
  return engine::Outcome{};
}

}  // namespace kiln::steps
