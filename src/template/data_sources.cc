#include "template/data_sources.h"

#include "template/body_reader.h"
#include "template/convert.h"

namespace kiln::tmpl {

namespace {

/// data "null": its input as output, to try what depends on data sources.
Value null_source(BodyReader& reader) {
  reader.required_string("input");
  const Option* input = reader.raw("input");
  auto output =
      input != nullptr ? convert(input->value, Type::string()) : Result<Value>(Value::unknown(Type::string()));
  return Value::object({{"output", output ? std::move(output).take() : Value::unknown(Type::string())}});
}

}  // namespace

bool check_data_source(Loading& loading, const Block& block) {
  if (!check_labels(loading, block, 2, "data \"type\" \"name\"")) return false;
  const std::string& type = block.labels[0];
  if (type == "null") return true;
  if (type == "http" || type.starts_with("amazon-")) {
    loading.error(
        "Data source is not supported yet",
        fmt::format("Data sources of type \"{}\" cannot be read by this release. Use a variable for the value.", type),
        block.range());
  } else {
    loading.error("Unknown data source",
                  fmt::format("There is no data source of type \"{}\".{}", type,
                              did_you_mean(type, {"null", "http", "amazon-ami"})),
                  block.range());
  }
  return false;
}

Value read_data_source(Loading& loading, const Block& block, const std::shared_ptr<const Scope>& scope) {
  Evaluation evaluation = loading.evaluation();
  const std::size_t before = loading.diagnostics.size();
  Body body = evaluate_body(block.body, scope, evaluation, {});
  body.range = block.range();
  BodyReader reader(body, loading.diagnostics, "data source \"null\"");
  Value value = null_source(reader);
  reader.finish();
  return loading.diagnostics.size() > before ? Value::unknown() : value;
}

}  // namespace kiln::tmpl
