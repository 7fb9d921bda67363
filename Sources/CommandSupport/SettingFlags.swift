import ArgumentParser
import Settings

/// Which settings have their flags on a program's command line.
public protocol FlaggedSettings {
  /// The settings, in the order of help.
  static var settings: [Setting] { get }
}

/// The options of a program that are settings, made of the rows of the table of settings.
///
/// ArgumentParser finds options by reflection, so the rows are what this type shows of itself; it decodes each like a
/// property that is an `@Option` or a `@Flag`.
public struct SettingFlags<Source: FlaggedSettings>: ParsableArguments, CustomReflectable {
  /// The texts of the flags that were given, by key path of their settings.
  public private(set) var texts: [String: [String]] = [:]

  /// As ArgumentParser makes it.
  public init() {}

  /// Takes what ArgumentParser found.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for setting in Source.settings {
      guard let flag = setting.flag else { continue }
      let key = Key(setting)
      switch flag {
      case .value:
        texts[setting.key] = try container.decode(Option<String?>.self, forKey: key).wrappedValue.map { [$0] }
      case .entries:
        let entries = try container.decode(Option<[String]>.self, forKey: key).wrappedValue
        if !entries.isEmpty { texts[setting.key] = entries }
      case .sets, .on:
        let isGiven = try container.decode(Flag<Bool>.self, forKey: key).wrappedValue
        if isGiven { texts[setting.key] = flag.fixedText.map { [$0] } }
      }
    }
  }

  /// The options, by key path of their settings.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: Source.settings.compactMap { setting in
        setting.flag.map { (label: Key(setting).stringValue, value: Self.option(setting, $0)) }
      })
  }

  private static func option(_ setting: Setting, _ flag: SettingFlag) -> Any {
    let help = ArgumentHelp(
      "\(flag.sentence ?? setting.sentence)\(setting.environmentNote.map { " " + $0 } ?? "")",
      valueName: flag.placeholder?.name)
    let letter = flag.letter.map { [NameSpecification.Element.customShort($0)] } ?? []
    let name = NameSpecification(letter + [.customLong(String(flag.name.dropFirst(2)))])
    return switch flag {
    case .value(_, _, let placeholder):
      Option<String?>(name: name, help: help, completion: completion(placeholder, setting))
    case .entries: Option<[String]>(wrappedValue: [], name: name, help: help)
    case .sets, .on: Flag<Bool>(wrappedValue: false, name: name, help: help)
    }
  }

  private static func completion(_ placeholder: SettingPlaceholder, _ setting: Setting) -> CompletionKind? {
    switch placeholder.completion {
    case .file: .file()
    case .folder: .directory
    case .choices: setting.choices.isEmpty ? nil : .list(setting.choices)
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    /// ArgumentParser joins keys by dots.
    init(_ setting: Setting) { stringValue = setting.key.replacing(".", with: "_") }
    init?(intValue: Int) { nil }
  }
}
