// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The house: lower floors know nothing of the floors above (see CONTRIBUTING.md). A module imports only what
// its target lists here, so an import upwards does not compile.
var swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
// Set by CI. A flag of the command line would hold for the dependencies too, whose warnings are not ours.
if Context.environment["WARNINGS_AS_ERRORS"] != nil { swiftSettings.append(.treatAllWarnings(as: .error)) }

// Modules that wait for people, disks and networks rather than compute are built for size.
let sizeSettings = swiftSettings + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

// What travels in a bundle has to be small. The release programs take the parts of Swift's runtime that they use into
// themselves; lld comes with the toolchain, and leaves out a shared library of which only unused code has need.
// Swift's modules for a shared runtime do not name the two helpers of FoundationEssentials. Of exceptions nothing here
// makes use: what says how to unwind the stack for them stays out, 3 MB of each program.
let smallProgram: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-use-ld=lld", "-static-stdlib", "-lFoundationEssentials", "-l_FoundationCShims",
      "-l_FoundationCollections",
      "-Xlinker", "--no-export-dynamic",
      "-Xlinker", "--no-eh-frame-hdr", "-Xlinker", "-T",
      "-Xlinker", "\(Context.packageDirectory)/scripts/release/programs.lds",
    ] + (loaderTakesPackedRelocations ? ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] : [])
      + (hasStaticCXX ? ["-L", "\(Context.packageDirectory)/scripts/release/libraries"] : []),
    .when(configuration: .release))
]

/// Whether the loader of this machine, which travels with the program, takes relocations in a form that needs a megabyte
/// less (DT_RELR): it says so by a version of its C library.
var loaderTakesPackedRelocations: Bool {
  #if arch(x86_64)
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64"]
  #else
    let folders = ["/usr/lib/aarch64-linux-gnu", "/usr/lib64"]
  #endif
  let mark = Data("GLIBC_ABI_DT_RELR".utf8)
  return folders.contains { FileManager.default.contents(atPath: "\($0)/libc.so.6")?.range(of: mark) != nil }
}

/// Whether the static libstdc++ lies wherever the shared one does. Swift's runtime needs little of it: 0.1 MB where the shared
/// one has 2.2. The flags for the shared one come from the package manager and the compiler, and cannot be taken back; so
/// a linker script in scripts/release/libraries stands in for it.
var hasStaticCXX: Bool {
  #if arch(x86_64)
    let triples = ["x86_64-linux-gnu", "x86_64-redhat-linux"]
  #else
    let triples = ["aarch64-linux-gnu", "aarch64-redhat-linux"]
  #endif
  let files = FileManager.default
  let folders = triples.map { "/usr/lib/gcc/\($0)" }.flatMap { folder in
    ((try? files.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }
  }.filter { files.fileExists(atPath: "\($0)/libstdc++.so") }
  return !folders.isEmpty && folders.allSatisfy { files.fileExists(atPath: "\($0)/libstdc++.a") }
}

// Debian's and Ubuntu's shared libarchive brings libxml2 along for a format of which we never make use, and so 31 MB
// of ICU data. Their development package has the static library too; the RHEL family has only the shared one, and no
// ICU in its libxml2.
let staticArchive = staticArchiveFlags()

/// The linker's flags for the static libarchive and whatever of the shared libraries behind it is used; `nil` where it
/// or one of them is not there.
func staticArchiveFlags() -> [String]? {
  #if arch(x86_64)
    let folder = "/usr/lib/x86_64-linux-gnu"
  #else
    let folder = "/usr/lib/aarch64-linux-gnu"
  #endif
  let key = "Libs.private:"
  guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder),
    files.contains("libarchive.a"),
    let description = try? String(contentsOfFile: "\(folder)/pkgconfig/libarchive.pc", encoding: .utf8),
    let line = description.split(separator: "\n").first(where: { $0.hasPrefix(key) })
  else { return nil }
  // The links without a version belong to development packages, which need not be there.
  let needs = line.dropFirst(key.count).split(separator: " ").map { need in
    files.filter { $0.hasPrefix("lib\(need.dropFirst(2)).so") }.min()
  }
  guard !needs.contains(nil) else { return nil }
  return (["--as-needed", "-l:libarchive.a"] + needs.compactMap { $0.map { "-l:\($0)" } })
    .flatMap { ["-Xlinker", $0] }
}

// bcrypt, for the one file of the registry's logins: where there is the static library, only that much of it travels.
#if arch(x86_64)
  let staticCryptPath = "/usr/lib/x86_64-linux-gnu/libcrypt.a"
#else
  let staticCryptPath = "/usr/lib/aarch64-linux-gnu/libcrypt.a"
#endif
let hasStaticCrypt = FileManager.default.fileExists(atPath: staticCryptPath)

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// Floor 0 without the system's libraries.
let ground: [Target.Dependency] = ["Files", "Concurrency", "Integrity", systemPackage]

let package = Package(
  name: "kubespray-offline",
  products: [
    .executable(name: "download-all", targets: ["download-all"]),
    .executable(name: "target-setup", targets: ["target-setup"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Floor 0: system libraries.
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .yum(["libcurl-devel"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: staticArchive == nil ? "libarchive" : nil,
      providers: [.apt(["libarchive-dev"]), .yum(["libarchive-devel"])]),
    .systemLibrary(
      name: "CYAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"]), .yum(["libyaml-devel"])]),
    .systemLibrary(name: "CFiles"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .yum(["openssl-devel"])]),
    .target(name: "Files", dependencies: ["CFiles", systemPackage], swiftSettings: swiftSettings),
    .target(name: "Concurrency", swiftSettings: swiftSettings),
    .target(
      name: "Integrity",
      dependencies: ["Files", .product(name: "Crypto", package: "swift-crypto"), systemPackage],
      swiftSettings: swiftSettings),

    // Floor 1: one outside thing each.
    .target(name: "YAML", dependencies: ["CYAML", "Files", systemPackage], swiftSettings: swiftSettings),
    .target(
      name: "Archive", dependencies: ["CArchive", "CZlib"] + ground, swiftSettings: swiftSettings,
      linkerSettings: (staticArchive.map {
        [
          .unsafeFlags($0, .when(configuration: .release)),
          .linkedLibrary("archive", .when(configuration: .debug)),
        ]
      } ?? [.linkedLibrary("archive")]) + [.unsafeFlags(["-Xlinker", "-l:libz.so.1"])]),
    .target(
      name: "Transfer", dependencies: ["CCurl"] + ground, swiftSettings: swiftSettings),
    .target(
      name: "Host",
      dependencies: [.product(name: "Subprocess", package: "swift-subprocess")] + ground,
      resources: [.embedInCode("watch-commands.sh")], swiftSettings: sizeSettings),
    .target(name: "Console", swiftSettings: sizeSettings),
    .target(
      name: "Trust", dependencies: ["Integrity", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: swiftSettings),

    .target(
      name: "Certificates", dependencies: ["CCrypto"], swiftSettings: sizeSettings,
      linkerSettings: hasStaticCrypt
        ? [
          .unsafeFlags(["-Xlinker", "-l:libcrypt.a"], .when(configuration: .release)),
          .linkedLibrary("crypt", .when(configuration: .debug)),
        ] : [.linkedLibrary("crypt")]),

    // Floor 2: what a bundle is.
    .target(
      name: "Bundle", dependencies: ground, swiftSettings: swiftSettings),
    // Above Bundle: settings name images and layouts of bundles.
    .target(
      name: "Settings", dependencies: ["YAML", "Bundle"] + ground,
      resources: [.embedInCode("Texts/config-head.txt"), .embedInCode("Texts/reference-head.txt")],
      swiftSettings: sizeSettings),

    .target(name: "Cache", dependencies: ground, swiftSettings: swiftSettings),

    // Floor 3: where its contents come from.
    .target(
      name: "Kubespray", dependencies: ["YAML", "Archive", "Host", "Bundle", "Cache"] + ground,
      resources: [
        "Evaluation/Playbooks/architecture-facts.yml", "Evaluation/Playbooks/dynamic-groups.yml",
        "Evaluation/Playbooks/evaluate-cluster.yml", "Evaluation/Playbooks/evaluate-defaults.yml",
        "Evaluation/Python/catalog_answers.py", "Evaluation/Python/catalog_checks.py",
        "Evaluation/Python/catalog_conditions.py", "Evaluation/Python/catalog_rendering.py",
        "Evaluation/Python/catalog_values.py", "Evaluation/Python/kubespray_catalog.py",
        "Evaluation/Shell/pass-arguments.sh",
        "Python/probe.py", "Source/releases.txt",
      ].map { .embedInCode($0) },
      swiftSettings: swiftSettings),

    .target(
      name: "Registry", dependencies: ["Transfer", "Archive", "Bundle"] + ground,
      swiftSettings: sizeSettings),

    .target(
      name: "Mirrors", dependencies: ["YAML", "Archive", "Host", "Bundle", "Cache"] + ground,
      resources: [
        "Debian/Release", "Debian/apt.conf", "Python/Resolver/resolve.py", "Python/Resolver/resolver.py",
        "Python/Resolver/resolver_files.py", "Python/Resolver/resolver_pip.py",
        "Python/Resolver/resolver_texts.py", "Python/index.html", "RPM/Python/rpm_modules.py",
        "RPM/Python/rpm_packages.py", "RPM/Python/solve.py",
      ].map { .embedInCode($0) },
      swiftSettings: swiftSettings),

    // Bundles that follow one another.
    .target(name: "Supply", dependencies: ["Bundle"] + ground, swiftSettings: swiftSettings),

    // What both programs say of an error alike.
    .target(
      name: "Diagnosis",
      dependencies: ["Archive", "Transfer", "Host", "Bundle", "Settings", "Registry", "Supply"] + ground,
      swiftSettings: sizeSettings),

    // Floor 4: the stages.
    .target(
      name: "DownloadAll",
      dependencies: [
        "YAML", "Archive", "Transfer", "Host", "Console", "Bundle", "Settings", "Cache", "Kubespray",
        "Registry", "Mirrors", "Supply", "Diagnosis", "Trust",
      ] + ground,
      resources: [
        .embedInCode("Travelling/launcher.sh"), .embedInCode("Travelling/verify-bundle.sh"),
      ],
      swiftSettings: swiftSettings),

    // Floor 4: the steps on the target. Neither the catalog nor the mirrors' resolvers are for it.
    .target(
      name: "TargetSetup",
      dependencies: [
        "YAML", "Archive", "Transfer", "Host", "Console", "Trust", "Certificates", "Bundle", "Settings",
        "Registry", "Supply", "Diagnosis",
      ] + ground,
      // Those in BuiltIn are links to target-scripts/: bundles of the shell project have no such files.
      resources: [
        "Packages/apt.sources", "Packages/dnf.repo", "Packages/zypper.repo", "Packages/pip.conf",
        "Services/container.service",
        "Services/run-container.sh", "Services/supervise.sh", "ShellProject/BuiltIn/nginx.conf",
        "ShellProject/BuiltIn/nginx-default.conf", "ShellProject/BuiltIn/registry-config.yml",
        "Doctor/Nodes/look-at-node.sh",
      ].map { .embedInCode($0) },
      swiftSettings: sizeSettings),

    // Floor 5: argument parsing and printing.
    .target(
      name: "CommandSupport",
      dependencies: [
        "Console", "Settings", "Diagnosis", "Files", "Concurrency", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: sizeSettings),
    .target(
      name: "DownloadAllCommands",
      dependencies: [
        "DownloadAll", "CommandSupport", "Console", "Bundle", "Settings", "Cache", "Supply", "Files",
        "Concurrency", "Integrity", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "TargetSetupCommands",
      dependencies: [
        "TargetSetup", "CommandSupport", "Console", "Bundle", "Settings", "Host", "Supply", "Files",
        "Concurrency",
        systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: sizeSettings),

    // The programs: an entry point each.
    .executableTarget(
      name: "download-all", dependencies: ["DownloadAllCommands"], swiftSettings: swiftSettings,
      linkerSettings: smallProgram),
    .executableTarget(
      name: "target-setup", dependencies: ["TargetSetupCommands"], swiftSettings: sizeSettings,
      linkerSettings: smallProgram),
    // Both in one file, for a release: apart they have 19 MB of the same code twice.
    .executableTarget(
      name: "kubespray-offline", dependencies: ["DownloadAllCommands", "TargetSetupCommands"],
      swiftSettings: sizeSettings, linkerSettings: smallProgram),

    // What tests of several modules have in common: a temporary folder, and what is in it.
    .target(
      name: "TestSupport", dependencies: ["Files", systemPackage], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    // A misbehaving HTTP server for the tests of several modules.
    .target(name: "TestServer", path: "Tests/TestServer", swiftSettings: swiftSettings),
    // Texts kept beside tests and compared as text.
    .target(name: "Snapshot", path: "Tests/Snapshot", swiftSettings: swiftSettings),
    .testTarget(name: "TestServerTests", dependencies: ["TestServer"], swiftSettings: swiftSettings),

    .testTarget(
      name: "FilesTests", dependencies: ["Files", "TestSupport", systemPackage], swiftSettings: swiftSettings),
    .testTarget(name: "ConcurrencyTests", dependencies: ["Concurrency"], swiftSettings: swiftSettings),
    .testTarget(
      name: "IntegrityTests", dependencies: ["TestSupport"] + ground, swiftSettings: swiftSettings),
    .testTarget(
      name: "ArchiveTests", dependencies: ["Archive", "Host"] + ground,
      swiftSettings: swiftSettings),
    .testTarget(name: "ConsoleTests", dependencies: ["Console"], swiftSettings: swiftSettings),
    .testTarget(
      name: "HostTests", dependencies: ["Host", "Files", "Concurrency", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TransferTests", dependencies: ["Transfer", "TestServer"] + ground,
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TrustTests",
      dependencies: [
        "Trust", "Host", "Files", "Integrity", .product(name: "Crypto", package: "swift-crypto"),
        systemPackage,
      ],
      swiftSettings: swiftSettings),
    .testTarget(name: "CertificatesTests", dependencies: ["Certificates"], swiftSettings: swiftSettings),
    .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: swiftSettings),
    .testTarget(
      name: "BundleTests", dependencies: ["Bundle", "TestSupport"] + ground,
      swiftSettings: swiftSettings),
    .testTarget(
      name: "SupplyTests", dependencies: ["Supply", "Bundle", "Archive", "TestSupport"] + ground,
      swiftSettings: swiftSettings),
    .testTarget(name: "CacheTests", dependencies: ["Cache"] + ground, swiftSettings: swiftSettings),
    .testTarget(
      name: "SettingsTests", dependencies: ["Settings", "Bundle", "YAML"] + ground,
      swiftSettings: swiftSettings),
    // A registry in this process, which can misbehave too.
    .target(
      name: "TestRegistry", dependencies: ["Registry", "TestServer"] + ground, path: "Tests/TestRegistry",
      swiftSettings: swiftSettings),
    .testTarget(
      name: "RegistryTests",
      dependencies: [
        "Registry", "TestRegistry", "TestServer", "Transfer", "Archive", "Bundle", "Host",
      ] + ground,
      swiftSettings: swiftSettings),
    .testTarget(
      name: "KubesprayTests",
      dependencies: ["Kubespray", "Bundle", "Cache", "Host", "YAML", "Archive"] + ground,
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MirrorsTests",
      dependencies: [
        "Mirrors", "TestServer", "Bundle", "Cache", "Host", "YAML", "Archive",
      ] + ground,
      swiftSettings: swiftSettings),
    .testTarget(
      name: "DiagnosisTests",
      dependencies: ["Diagnosis", "Host", "Bundle", "TestSupport", "Files", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "DownloadAllTests",
      dependencies: [
        "DownloadAll", "target-setup", "TestSupport", "TestServer", "TestRegistry", "Bundle", "Cache",
        "Settings",
        "Host", "Console",
        "Registry", "Kubespray", "Mirrors", "Supply", "Transfer", "Archive", "Snapshot", "Trust", "Diagnosis",
      ] + ground,
      exclude: ["Snapshots"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TargetSetupTests",
      dependencies: [
        "TargetSetup", "TestSupport", "TestServer", "TestRegistry", "Archive", "Bundle", "Settings", "Trust",
        "Certificates", "YAML", "Console", "Host", "Supply",
        "Registry", "Transfer", "Snapshot", "Diagnosis",
      ] + ground,
      exclude: ["Snapshots"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "DownloadAllCommands", "TargetSetupCommands", "CommandSupport", "Bundle", "Settings", "Supply",
        "DownloadAll", "TargetSetup",
        "Console", "Host", "Files", "Snapshot", "Cache", "TestSupport", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Snapshots"],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)

// Readers of bytes from outside, each with what must hold whatever the bytes are: as unit tests, or in one program with
// libFuzzer, which links only where it is asked for. See scripts/fuzz.
let fuzzDependencies: [Target.Dependency] =
  [
    "YAML", "Archive", "Transfer", "Host", "Console", "Trust", "Bundle", "Settings", "Kubespray", "Registry",
    "Mirrors", "Supply", "DownloadAll", "TargetSetup",
  ] + ground
if Context.environment["FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz-readers", dependencies: fuzzDependencies, path: "Tests/Fuzz",
      exclude: ["Corpus", "Unit"], sources: ["Targets", "LibFuzzer"],
      swiftSettings: swiftSettings + [.unsafeFlags(["-parse-as-library"])]))
} else {
  package.targets.append(
    .testTarget(
      name: "FuzzTests", dependencies: fuzzDependencies, path: "Tests/Fuzz",
      exclude: ["Corpus", "LibFuzzer"], sources: ["Targets", "Unit"], swiftSettings: swiftSettings))
}

// The thread sanitizer cannot see into the standard library's Mutex. See scripts/sanitize.
if Context.environment["SANITIZE_THREAD"] != nil {
  let alias = SwiftSetting.unsafeFlags(["-module-alias", "Synchronization=ThreadSanitizerMutex"])
  for target in package.targets where target.type != .system {
    target.dependencies.append("ThreadSanitizerMutex")
    target.swiftSettings = (target.swiftSettings ?? []) + [alias]
  }
  package.targets.append(.target(name: "ThreadSanitizerMutex", path: "Tests/ThreadSanitizerMutex"))
}
