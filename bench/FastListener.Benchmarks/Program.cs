using FastListener.Benchmarks.Running;

// Http/         request head, chunked decoding
// Multipart/    boundary scan, whole forms
// Compression/  gzip bodies
// Tokens/       look-up among 10,000
// Attributes/   query, JSON report, the record they become
// Storage/      pack append, catalog transaction, whole commit (they sync a real disk)
return args switch
{
    ["all", .. var options] => Suites.All(options),
    ["smoke", .. var options] => Suites.Smoke(options),
    _ => Suites.Chosen(args),
};
