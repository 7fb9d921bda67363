/// What the lookup plugin writes for one host.
struct HostEvaluation: Decodable {
  /// One entry of kubespray's `downloads` after evaluation; values that could not be rendered are absent.
  struct Entry: Decodable {
    var enabled: Bool
    var file: Bool
    var container: Bool
    var url: String?
    var repo: String?
    var tag: String?
    var checksum: String?
    var sha256: String?
    var groups: [String]?

    enum CodingKeys: String, CodingKey {
      case enabled, file, container, url, repo, tag, checksum, sha256, groups
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      enabled = try values.decode(Bool.self, forKey: .enabled)
      file = try values.decode(Bool.self, forKey: .file)
      container = try values.decode(Bool.self, forKey: .container)
      url = values.text(.url)
      repo = values.text(.repo)
      tag = values.text(.tag)
      checksum = values.text(.checksum)
      sha256 = values.text(.sha256)
      groups = try? values.decodeIfPresent([String].self, forKey: .groups)
    }
  }

  /// A variable before and after evaluation.
  struct Variable: Decodable {
    var template: String
    var value: String?
    /// Of a URL: the checksum under a variable named after it.
    var checksum: String?
    /// Of a URL that somebody has set: kubespray's own.
    var own: Own?
  }

  /// What kubespray's defaults say of a variable that an inventory has set.
  struct Own: Decodable {
    var template: String
    var value: String?
  }

  /// An image reference that a role's template composes.
  struct Composed: Decodable {
    var reference: String?
    var enabled: Bool?
    var error: String?
  }

  /// What a role installs as Helm charts.
  struct Chart: Decodable {
    struct Release: Decodable {
      var name: String?
      /// `REPOSITORY/CHART`, by the name that the role gives to the repository.
      var chartReference: String?
      var chartVersion: String?

      enum CodingKeys: String, CodingKey {
        case name
        case chartReference = "chart_ref"
        case chartVersion = "chart_version"
      }
    }
    struct Repository: Decodable {
      var name: String
      var url: String
    }
    var releases: [Release]?
    var repositories: [Repository]?
    /// `nil` where it is not known.
    var enabled: Bool?
    var error: String?
  }

  /// Packages that a task installs, or one that is listed.
  struct Packages: Decodable {
    var names: [String]?
    /// `nil` where it is not known.
    var enabled: Bool?
    /// Of one that is listed: what beside the release decides it; `nil` where no cluster of the release gets it.
    var open: [String]?
    var error: String?
  }

  /// A check of kubespray's that would end a play.
  struct Refusal: Decodable, Hashable {
    /// The name of its task.
    var check: String
    var message: String
  }

  /// A value that could not be rendered.
  struct Failure: Decodable, Hashable {
    var subject: String
    var message: String
  }

  var host: String
  var groups: [String]
  var architecture: String?
  var downloads: [String: Entry]
  var urls: [String: Variable]
  var images: [String: Variable]
  var roleImages: [String: Variable]
  /// The addresses of an offline environment that the variables hold, by variable.
  var addresses: [String: Variable]
  var versions: [String: String?]
  var composed: [Composed]
  var charts: [Chart]
  var packages: [Packages]
  /// The values of the settings asked for, as JSON texts.
  var settings: [String: String?]
  /// What kubespray's own checks would say, by the names of their tasks.
  var refusals: [Refusal]
  var errors: [Failure]
}

extension KeyedDecodingContainer {
  /// A text, or the text of a number; nil for anything else (Ansible writes the word None for no value).
  fileprivate func text(_ key: Key) -> String? {
    if let text = try? decode(String.self, forKey: key) { return text.isEmpty || text == "None" ? nil : text }
    if let number = try? decode(Int.self, forKey: key) { return String(number) }
    if let number = try? decode(Double.self, forKey: key) { return String(number) }
    return nil
  }
}

/// What the lookup plugin is asked to evaluate.
struct EvaluationRequest: Encodable {
  /// An image reference composed in a role's template.
  struct Composition: Encodable {
    var template: String
    /// The defaults file of the role, absolute.
    var defaults: String
    /// The condition under which the role runs; nil when it always does.
    var condition: String?
  }

  /// The variables that kubespray's download defaults declare.
  var names: [String]
  /// The file that declares them, absolute.
  var defaults: String
  var composed: [Composition]
  /// What roles install as Helm charts.
  var charts: [RoleChart]
  /// What roles install as packages.
  var packages: [RolePackages] = []
  /// Variables whose values are wanted.
  var settings: [ClosureSetting] = []
  /// Files of tasks that check the inventory, absolute.
  var checks: [String] = []
  /// The folder for the results, absolute.
  var output: String
}

/// What is asked of a tree beside the variables that its download defaults declare.
struct EvaluationQuestions {
  /// Images that roles compose.
  var images: [RoleImage] = []
  /// Helm charts that roles install.
  var charts: [RoleChart] = []
  /// Packages that roles install.
  var packages: [RolePackages] = []
  /// Variables whose values are wanted.
  var settings: [ClosureSetting] = []
  /// Whether kubespray's own checks of the inventory are asked what they would refuse.
  var checksInventory = false
  /// The text of an offline.yml that stands in the inventory's group_vars/all.
  var offline: String?
}
