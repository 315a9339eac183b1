using FastListener.Fuzz;
using FastListener.Fuzz.Packs;
using FastListener.Fuzz.Running;

return args switch
{
    ["targets"] => Replay.List(),
    ["run", var target] => AflLoop.Run(target),
    ["replay", var target, .. var paths] => Replay.Run(target, paths),
    ["mutate", var target, var folder, var count] => Replay.Mutate(target, folder, count),
    ["instrument", var folder] => Instrumentation.Run(folder),
    ["sketch", var folder] => await PackSeeds.WriteAsync(folder),
    _ => Replay.Usage(),
};
