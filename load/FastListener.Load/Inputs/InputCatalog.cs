namespace FastListener.Load.Inputs;

/// <summary>Every input by name. Each is built when first asked for, and the same in every run.</summary>
internal static class InputCatalog
{
    private const long Mebibyte = 1024 * 1024;

    private static readonly Dictionary<string, Lazy<SubmissionBody>> s_inputs = new(StringComparer.Ordinal)
    {
        ["form-20k"] = new(() => CrashForm.Form("form-20k", "Crashpad form, 20 KiB in all, 12 attributes and a dump", 20 * 1024, 12)),
        ["form-256k"] = new(() => CrashForm.Form("form-256k", "Crashpad form, 256 KiB in all, 12 attributes and a dump", 256 * 1024, 12)),
        ["form-1m"] = new(() => CrashForm.Form("form-1m", "Crashpad form, 1 MiB in all, 12 attributes and a dump", Mebibyte, 12)),
        ["form-32m"] = new(() => CrashForm.Form("form-32m", "Crashpad form, 32 MiB in all, 12 attributes and a dump", 32 * Mebibyte, 12)),
        ["form-256m"] = new(() => CrashForm.Form("form-256m", "Crashpad form, 256 MiB in all, 12 attributes and a dump", 256 * Mebibyte, 12)),
        ["form-1g"] = new(() => CrashForm.Form("form-1g", "Crashpad form, 1 GiB in all, 12 attributes and a dump", 1024 * Mebibyte, 12)),
        ["raw-20k"] = new(() => CrashForm.Raw("raw-20k", "dump of 20 KiB as the raw body", 20 * 1024)),
        ["crashpad-gzip"] = new(() => CrashForm.GzipChunked("crashpad-gzip", "Crashpad's default: 45 attributes and a 96 KiB dump, gzip, chunked", 45, 96 * 1024)),
        ["form-attachments"] = new(() => CrashForm.WithAttachments("form-attachments", "Crashpad form: 12 attributes, a 20 KiB dump, log, settings, screenshot (100 KiB)")),
        ["json"] = new(() => CrashForm.Json("json", "JSON report of a managed client, raw")),
        ["json-attachments"] = new(() => CrashForm.JsonWithAttachments("json-attachments", "JSON report as a file part with log, settings, screenshot (100 KiB)")),
        ["log-8k"] = new(() => CrashForm.Log("log-8k", "log of 8 KiB for an object that exists")),
    };

    public static IEnumerable<string> Names => s_inputs.Keys;

    public static SubmissionBody Get(string name) =>
        s_inputs.TryGetValue(name, out var body) ? body.Value : throw new ArgumentException($"There is no input named {name}; known are {string.Join(", ", Names)}.");
}
