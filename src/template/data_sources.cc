#include "template/data_sources.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "template/body_reader.h"
#include "template/convert.h"
#include "template/outside.h"

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

const std::vector<std::string> kTypes = {"null", "http", "amazon-ami"};

Value text_or_unknown(const std::optional<std::string>& text) {
  return text ? Value::string(*text) : Value::unknown(Type::string());
}

Value texts(const std::map<std::string, std::string>& all) {
  Value::Entries entries;
  for (const auto& [name, text] : all) entries[name] = Value::string(text);
  return Value::map(Type::string(), std::move(entries));
}

/// What a data source reads its options with, and tells its problems to.
struct Asking {
  Loading& loading;
  BodyReader& reader;
  Range range;
  /// Whether somebody is there to ask, and all that is asked for is known.
  bool possible(std::size_t problems_before) const {
    return loading.program->world.outside && reader.unknown().empty() && loading.diagnostics.size() == problems_before;
  }
  void failed(const Error& e) const { loading.error("Data source cannot be read", sentence(e.text()), range); }
};

Value http_value(const HttpQuestion& question, const std::optional<HttpReply>& reply) {
  const Value headers = reply ? texts(reply->headers) : Value::unknown(Type::map(Type::string()));
  return Value::object({{"url", reply ? Value::string(reply->url) : text_or_unknown(question.url)},
                        {"response_headers", headers},
                        {"body", reply ? Value::string(reply->body) : Value::unknown(Type::string())}});
}

Value http_source(const Asking& ask) {
  static const std::vector<std::string> kMethods = {"HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  const std::size_t before = ask.loading.diagnostics.size();
  HttpQuestion question;
  question.url = ask.reader.required_string("url");
  question.method = ask.reader.string("method").value_or("GET");
  question.headers = ask.reader.string_map("request_headers").value_or(std::map<std::string, std::string>());
  question.secret_headers = ask.reader.is_sensitive("request_headers");
  question.body = ask.reader.string("request_body").value_or("");
  std::transform(question.method.begin(), question.method.end(), question.method.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (std::find(kMethods.begin(), kMethods.end(), question.method) == kMethods.end())
    ask.reader.error("method", "Invalid method", "It must be one of " + join(kMethods, ", ") + ".");
  if (!ask.possible(before)) return http_value(question, std::nullopt);
  auto reply = ask.loading.program->world.outside->http(question);
  if (reply) return http_value(question, *reply);
  ask.failed(reply.error());
  return Value::unknown();
}

Value image_value(const std::optional<ImageReply>& reply) {
  const auto field = [&](std::string ImageReply::*member) {
    return reply ? Value::string((*reply).*member) : Value::unknown(Type::string());
  };
  return Value::object({{"id", field(&ImageReply::id)},
                        {"name", field(&ImageReply::name)},
                        {"creation_date", field(&ImageReply::creation_date)},
                        {"owner", field(&ImageReply::owner)},
                        {"owner_name", field(&ImageReply::owner_name)},
                        {"tags", reply ? texts(reply->tags) : Value::unknown(Type::map(Type::string()))}});
}

Value image_source(const Asking& ask) {
  const std::size_t before = ask.loading.diagnostics.size();
  BodyReader& reader = ask.reader;
  const auto text = [&](const char* name) { return reader.string(name).value_or(""); };
  ImageQuestion question;
  question.filters = reader.string_map("filters").value_or(std::map<std::string, std::string>());
  question.owners = reader.strings("owners").value_or(std::vector<std::string>());
  question.most_recent = reader.boolean("most_recent").value_or(false);
  question.include_deprecated = reader.boolean("include_deprecated").value_or(false);
  question.region = text("region");
  question.access_key = text("access_key");
  question.secret_key = text("secret_key");
  question.token = text("token");
  question.profile = text("profile");
  question.shared_credentials_file = text("shared_credentials_file");
  question.endpoint = text("custom_endpoint_ec2");
  reader.ignore({"max_retries", "skip_credential_validation", "skip_metadata_api_check", "skip_region_validation"});
  if (reader.unknown().empty() && question.owners.empty())
    reader.error("owners", "Missing owners", "Name the accounts whose images are wanted, such as [\"amazon\"].");
  if (reader.unknown().empty() && question.filters.empty())
    reader.error("filters", "Missing filters",
                 "Say which images are wanted, such as { name = \"debian-12-amd64-*\" }.");
  if (!ask.possible(before)) return image_value(std::nullopt);
  auto reply = ask.loading.program->world.outside->amazon_ami(question);
  if (reply) return image_value(*reply);
  ask.failed(reply.error());
  return Value::unknown();
}

}  // namespace

bool check_data_source(Loading& loading, const Block& block) {
  if (!check_labels(loading, block, 2, "data \"type\" \"name\"")) return false;
  const std::string& type = block.labels[0];
  if (std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end()) return true;
  if (type.starts_with("amazon-")) {
    loading.error(
        "Data source is not supported yet",
        fmt::format("Data sources of type \"{}\" cannot be read by this release. Use a variable for the value.", type),
        block.range());
  } else {
    loading.error("Unknown data source",
                  fmt::format("There is no data source of type \"{}\".{}", type, did_you_mean(type, kTypes)),
                  block.range());
  }
  return false;
}

Value read_data_source(Loading& loading, const Block& block, const std::shared_ptr<const Scope>& scope) {
  Evaluation evaluation = loading.evaluation();
  const std::size_t before = loading.diagnostics.size();
  Body body = evaluate_body(block.body, scope, evaluation, {});
  body.range = block.range();
  const std::string& type = block.labels[0];
  BodyReader reader(body, loading.diagnostics, fmt::format("data source \"{}\"", type));
  const Asking ask{loading, reader, block.range()};
  Value value = type == "null" ? null_source(reader) : type == "http" ? http_source(ask) : image_source(ask);
  reader.finish();
  return loading.diagnostics.size() > before ? Value::unknown() : value;
}

}  // namespace kiln::tmpl
