#include "cli/line_editor.h"

#include <histedit.h>

#include <cstdio>

namespace kiln::cli {

namespace {

constexpr int kHistoryLines = 1000;

char* prompt_of(EditLine* editor) {
  void* prompt = nullptr;
  el_get(editor, EL_CLIENTDATA, &prompt);
  return static_cast<char*>(prompt);
}

unsigned char leave(EditLine* /*editor*/, int /*key*/) {
  std::fputs("\n", stdout);
  return CC_EOF;
}

}  // namespace

struct LineEditor::State {
  History* history = history_init();
  EditLine* editor = el_init("kiln", stdin, stdout, stderr);
};

LineEditor::LineEditor(const char* prompt) : state_(std::make_unique<State>()) {
  HistEvent event{};
  history(state_->history, &event, H_SETSIZE, kHistoryLines);
  history(state_->history, &event, H_SETUNIQUE, 1);
  EditLine* editor = state_->editor;
  el_set(editor, EL_CLIENTDATA, const_cast<char*>(prompt));
  el_set(editor, EL_PROMPT, prompt_of);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, history, state_->history);
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);  // ^C comes as a key: the program's signals are main's
  el_set(editor, EL_ADDFN, "kiln-leave", "Leave", leave);
  el_set(editor, EL_BIND, "^C", "kiln-leave", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  el_end(state_->editor);
  history_end(state_->history);
}

std::optional<std::string> LineEditor::read() {
  int count = 0;
  // libedit shows the prompt and only then switches the terminal: a ^D typed in between would become a NUL.
  el_set(state_->editor, EL_PREP_TERM, 1);
  const char* typed = el_gets(state_->editor, &count);
  if (typed == nullptr || count <= 0) return std::nullopt;
  std::string line(typed, static_cast<std::size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  HistEvent event{};
  if (line.find_first_not_of(" \t") != std::string::npos) history(state_->history, &event, H_ENTER, line.c_str());
  return line;
}

}  // namespace kiln::cli
